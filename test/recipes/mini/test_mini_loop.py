"""A run that breaks and resumes ends with the weights of an unbroken one; checkpoints are whole or absent."""

from __future__ import annotations

import json

import pytest
import torch

from recipes.mini import loop, vae


class Broken(Exception):
    pass


def run(folder, *, break_at: int | None = None, resume: bool = False) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    network = vae.build((8, 16), 2, size=16)
    average = loop.Average(network, 0.9)
    optimizer = torch.optim.AdamW([{"params": list(network.parameters()), "base": 1e-2}])

    def step_function(step: int, _progress: float) -> dict[str, float]:
        if step == break_at:
            raise Broken
        true = torch.rand(2, 3, 16, 16)
        posterior = network.encode(true).latent_dist
        loss = vae.reconstruction_loss(network.decode(posterior.sample()).sample, true)
        loss = loss + vae.encoder_loss(posterior, torch.zeros(2, 2, 8, 8))
        loss.backward()
        return {"loss": loss.item()}

    loop.train(
        "test",
        folder,
        loop.Budget(6, None),
        {"network": network, "average": average},
        optimizer,
        step_function,
        seed=5,
        resume=resume,
        after_step=average.update,
        checkpoint_seconds=0,
    )
    return {**network.state_dict(), **{f"average.{key}": value for key, value in average.shadow.items()}}


def test_resumed_run_equals_unbroken_run(tmp_path):
    whole = run(tmp_path / "whole")
    with pytest.raises(Broken):
        run(tmp_path / "broken", break_at=3)
    resumed = run(tmp_path / "broken", resume=True)
    assert whole.keys() == resumed.keys()
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key


def test_resume_from_nothing_begins(tmp_path):
    assert run(tmp_path / "new", resume=True).keys() == run(tmp_path / "whole").keys()


def test_without_resume_the_run_begins_anew(tmp_path):
    with pytest.raises(Broken):
        run(tmp_path / "run", break_at=4)
    again = run(tmp_path / "run")
    whole = run(tmp_path / "whole")
    assert all(torch.equal(value, again[key]) for key, value in whole.items())


def test_newest_checkpoint_is_one_with_a_manifest(tmp_path):
    assert loop.newest_checkpoint(tmp_path) is None
    for step in (1, 2):
        (tmp_path / f"step-{step:07d}").mkdir()
    (tmp_path / "step-0000001" / "manifest.json").write_text(json.dumps({"step": 1}))
    assert loop.newest_checkpoint(tmp_path).name == "step-0000001"


def test_two_checkpoints_are_kept(tmp_path):
    run(tmp_path / "run")
    assert [path.name for path in sorted((tmp_path / "run").glob("*"))] == ["step-0000005", "step-0000006"]


def test_cosine_rises_then_falls_to_the_floor():
    factors = [loop.cosine(progress / 100) for progress in range(101)]
    assert max(factors) == pytest.approx(1, abs=1e-3)
    assert factors[0] < 0.1
    assert factors[-1] == pytest.approx(0.02)
