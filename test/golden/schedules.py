"""Reference schedules and steps of diffusers' schedulers.

Called as ``python schedules.py OUT_DIR``; writes ``schedules.json``, a list of cases: the scheduler's config as it
saves it, the steps, its timesteps and (Euler's) sigmas, the split at 0.8, and a walk of its steps over 8 numbers with a
stand-in network (prediction = 0.3 * scaled input + 0.01 * timestep / 1000). ``noises``: what it drew on the way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
)

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
    # The embedded model's.
    (
        {
            **SDXL,
            "beta_end": 0.02,
            "prediction_type": "sample",
            "timestep_spacing": "trailing",
            "rescale_betas_zero_snr": True,
        },
        20,
    ),
]
PLAIN = {name: SDXL[name] for name in SDXL if name != "interpolation_type"}
DPM: list[tuple[dict[str, Any], int]] = [
    (PLAIN, 20),
    (PLAIN, 5),
    (PLAIN, 1),
    ({**PLAIN, "timestep_spacing": "trailing"}, 25),
    ({**PLAIN, "timestep_spacing": "linspace"}, 9),
    ({**PLAIN, "use_karras_sigmas": True}, 25),
    ({**PLAIN, "solver_type": "heun"}, 20),
    ({**PLAIN, "solver_order": 1}, 8),
    ({**PLAIN, "prediction_type": "v_prediction", "final_sigmas_type": "sigma_min"}, 20),
    ({**PLAIN, "prediction_type": "sample", "euler_at_final": True}, 18),
    ({**PLAIN, "final_sigmas_type": "sigma_min", "lower_order_final": False}, 6),
]
ANCESTRAL: list[tuple[dict[str, Any], int]] = [
    (PLAIN, 20),
    ({**PLAIN, "timestep_spacing": "trailing"}, 1),
    ({**PLAIN, "timestep_spacing": "trailing"}, 4),
    ({**PLAIN, "timestep_spacing": "linspace", "prediction_type": "v_prediction"}, 11),
]
LCM: list[tuple[dict[str, Any], int]] = [
    ({}, 4),
    ({}, 1),
    ({}, 8),
    ({"original_inference_steps": 100, "clip_sample": True}, 6),
    ({"prediction_type": "v_prediction", "timestep_scaling": 5.0}, 3),
]
OTHERS = [
    *((DPMSolverMultistepScheduler, *each) for each in DPM),
    *((EulerAncestralDiscreteScheduler, *each) for each in ANCESTRAL),
    *((LCMScheduler, *each) for each in LCM),
]


def split_at(scheduler: Any, fraction: float) -> dict[str, int]:
    """The counts that the SDXL pipelines' denoising_end and denoising_start lead to."""
    count = scheduler.config.num_train_timesteps
    cutoff = int(round(count - fraction * count))
    timesteps = scheduler.timesteps
    return {"base": sum(1 for t in timesteps if t >= cutoff), "refiner": (timesteps < cutoff).sum().item()}


def walk(scheduler: Any, **options: Any) -> list[float]:
    """The SDXL pipelines' own loop: initial noise, scaled input, step."""
    sample = torch.linspace(-1.5, 2.0, 8) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        scaled = scheduler.scale_model_input(sample, timestep)
        prediction = 0.3 * scaled + 0.01 * timestep / 1000
        sample = scheduler.step(prediction, timestep, sample, **options).prev_sample
    return sample.tolist()


def other_case(kind: Any, config: dict[str, Any], steps: int) -> dict[str, Any]:
    """A scheduler whose steps may draw noise: the same seed gives the same numbers, one draw a step."""
    scheduler = kind(**config)
    scheduler.set_timesteps(steps)
    again = torch.Generator().manual_seed(11)
    return {
        "config": json.loads(scheduler.to_json_string().replace("-Infinity", '"-Infinity"')),
        "steps": steps,
        "timesteps": scheduler.timesteps.tolist(),
        "initNoiseSigma": float(scheduler.init_noise_sigma),
        "split": split_at(scheduler, 0.8),
        "walk": walk(scheduler, generator=torch.Generator().manual_seed(11)),
        "noises": [torch.randn(8, generator=again).tolist() for _ in range(steps)],
    }


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
    cases += [other_case(*each) for each in OTHERS]
    Path(sys.argv[1], "schedules.json").write_text(json.dumps(cases), encoding="utf8")


if __name__ == "__main__":
    main()
