"""Several processes (torchrun): data parallel with whole copies of the model.

Gradients are summed after the last micro-batch of a step, so accumulation costs no traffic. Sharding the
language model itself (FSDP2, for 7 B on several small GPUs) would be set up in ``prepare`` and is not done.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn


def world() -> tuple[int, int]:
    """(rank, number of processes)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def prepare() -> torch.device:
    """Join the group if torchrun started us, and choose this process's device."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if world()[1] > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if cuda else "gloo")
    return device


def finish() -> None:
    """Leave the group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def sum_over_processes(value: Tensor) -> Tensor:
    """In place; the identity for one process."""
    if world()[1] > 1:
        distributed.all_reduce(value)
    return value


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up every trained parameter's gradient over the processes (a process without pictures adds zero)."""
    if world()[1] == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        distributed.all_reduce(parameter.grad)


def barrier() -> None:
    """Wait for the others."""
    if world()[1] > 1:
        distributed.barrier()
