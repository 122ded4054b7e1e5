"""Reference schedules and steps of diffusers' EulerDiscreteScheduler.

Called as ``python schedules.py OUT_DIR``; writes ``schedules.json``, a list of cases: the scheduler's
config, the steps, its timesteps and sigmas, the split at 0.8, and a walk of Euler steps over 8 numbers
with a stand-in network (prediction = 0.3 * scaled input + 0.01 * timestep / 1000).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler

SDXL = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "interpolation_type": "linear",
    "prediction_type": "epsilon",
}
VARIANTS: list[tuple[dict[str, Any], int]] = [
    (SDXL, 40),
    (SDXL, 1),
    (SDXL, 7),
    (SDXL, 27),
    ({**SDXL, "timestep_spacing": "trailing"}, 40),
    ({**SDXL, "timestep_spacing": "trailing"}, 7),
    ({**SDXL, "timestep_spacing": "linspace"}, 33),
    ({**SDXL, "timestep_spacing": "linspace"}, 1),
    ({**SDXL, "prediction_type": "v_prediction"}, 12),
    ({**SDXL, "prediction_type": "sample"}, 5),
    ({**SDXL, "use_karras_sigmas": True}, 20),
    ({**SDXL, "interpolation_type": "log_linear"}, 8),
    ({**SDXL, "beta_schedule": "linear", "num_train_timesteps": 500, "steps_offset": 0}, 13),
    ({**SDXL, "beta_schedule": "squaredcos_cap_v2", "final_sigmas_type": "sigma_min"}, 10),
    (
        {**SDXL, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True},
        9,
    ),
]


def split_at(scheduler: EulerDiscreteScheduler, fraction: float) -> dict[str, int]:
    """The counts that the SDXL pipelines' denoising_end and denoising_start lead to."""
    count = scheduler.config.num_train_timesteps
    cutoff = int(round(count - fraction * count))
    timesteps = scheduler.timesteps
    return {"base": sum(1 for t in timesteps if t >= cutoff), "refiner": (timesteps < cutoff).sum().item()}


def walk(scheduler: EulerDiscreteScheduler) -> list[float]:
    """The SDXL pipelines' own loop: initial noise, scaled input, step."""
    sample = torch.linspace(-1.5, 2.0, 8) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        scaled = scheduler.scale_model_input(sample, timestep)
        prediction = 0.3 * scaled + 0.01 * timestep / 1000
        sample = scheduler.step(prediction, timestep, sample).prev_sample
    return sample.tolist()


def main() -> None:
    """Write all cases."""
    cases = []
    for config, steps in VARIANTS:
        scheduler = EulerDiscreteScheduler(**config)
        scheduler.set_timesteps(steps)
        case = {
            "config": config,
            "steps": steps,
            "timesteps": scheduler.timesteps.tolist(),
            "sigmas": scheduler.sigmas.tolist(),
            "initNoiseSigma": float(scheduler.init_noise_sigma),
            "split": split_at(scheduler, 0.8),
            "walk": walk(scheduler),
        }
        cases.append(case)
    Path(sys.argv[1], "schedules.json").write_text(json.dumps(cases), encoding="utf8")


if __name__ == "__main__":
    main()
