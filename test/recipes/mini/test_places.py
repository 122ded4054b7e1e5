"""Places in the eyes: from features that do not say where they are to features that do, and say the rest as before."""

from __future__ import annotations

import torch
from safetensors.torch import load_file, save_file

from recipes.mini import places, vision
from recipes.mini.features import open_eyes
from recipes.mini.views import view_of


def test_blind_eyes_tell_places_and_keep_them(tmp_path, pictures, capsys):
    torch.manual_seed(0)
    eyes = vision.build_vision()
    with torch.no_grad():
        eyes.embeddings.position_embedding.zero_()
        vision.whiten_patches(eyes, torch.rand(64, 3, 128, 128) * 2 - 1)
    eyes.save_pretrained(tmp_path / "blind")
    views = [view_of("validation", number, pictures).pixels for number in range(24)]
    streams = places.patch_streams(open_eyes(tmp_path / "blind"), views)
    assert places.told(streams[-1].unflatten(0, (24, -1))) < 0.3
    for source in ("blind", "placed"):
        assert (
            places.main(
                [
                    "--vision",
                    str(tmp_path / source),
                    "--raw",
                    str(pictures.parent),
                    "--out",
                    str(tmp_path / "placed"),
                ]
            )
            == 0
        )
        now = places.patch_streams(open_eyes(tmp_path / "placed"), views)
        assert places.told(now[-1].unflatten(0, (24, -1))) > places.TOLD
    # The second time nothing was added.
    assert capsys.readouterr().out.count('"finished"') == 2
    first, again = load_file(tmp_path / "placed" / "model.safetensors"), tmp_path / "again"
    places.main(["--vision", str(tmp_path / "placed"), "--raw", str(pictures.parent), "--out", str(again)])
    assert all(
        torch.equal(value, load_file(again / "model.safetensors")[name]) for name, value in first.items()
    )


def test_the_places_that_a_qformer_was_trained_on_are_taken_as_they_are(tmp_path, pictures):
    torch.manual_seed(0)
    eyes = vision.build_vision()
    with torch.no_grad():
        eyes.embeddings.position_embedding.zero_()
    eyes.save_pretrained(tmp_path / "blind")
    theirs = torch.randn_like(eyes.embeddings.position_embedding)
    save_file({places.NAME: theirs}, tmp_path / "stage0.safetensors")
    given = {
        "--vision": tmp_path / "blind",
        "--raw": pictures.parent,
        "--begin-with": tmp_path / "stage0.safetensors",
        "--out": tmp_path / "placed",
    }
    assert places.main([str(word) for pair in given.items() for word in pair]) == 0
    assert torch.equal(load_file(tmp_path / "placed" / "model.safetensors")[places.NAME], theirs)


def test_only_the_quiet_directions_change():
    torch.manual_seed(0)
    embedding = torch.randn(1, 65, 16)
    stream = torch.randn(500, 16) * torch.tensor([0.01] * 4 + [1.0] * 12)
    directions = places.quiet_directions([stream], 4)
    change = (places.placed(embedding, directions) - embedding)[0]
    assert change[0].abs().max() == 0 and change[1:, 4:].abs().max() < 0.3 and change[1:, :4].std() > 2
    assert directions[4:].abs().max() < 0.1
