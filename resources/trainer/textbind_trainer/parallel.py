"""Several processes (torchrun): whole copies of the model, or PyTorch's shards (FSDP2).

Whole copies add their gradients after the last micro-batch of a step, so accumulation costs no traffic. Shards hold a
part of parameters, gradients and optimizer each and gather a layer's weights while it computes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor, distribute_tensor


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
        # Offloaded shards are reduced on the CPU, others on the GPU.
        distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    return device


def beside() -> int:
    """Processes of this run that share this machine's memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def finish() -> None:
    """Leave the group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def shard(model: nn.Module, blocks: Iterable[nn.Module], offload: bool) -> None:
    """Shard a model over all processes, block by block (a block's weights are gathered while it computes)."""
    from torch.distributed.fsdp import (
        CPUOffloadPolicy,
        OffloadPolicy,
        fully_shard,
        register_fsdp_forward_method,
    )

    policy = CPUOffloadPolicy() if offload else OffloadPolicy()
    for block in [*blocks, model]:
        fully_shard(block, offload_policy=policy)
    register_fsdp_forward_method(model, "in_one_pass")


def settle(model: nn.Module) -> None:
    """Give back what a pass without gradient left gathered: modules hold their shards again."""
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def keep_gathered(model: nn.Module, keep: bool) -> None:
    """Whether the blocks of a sharded model stay gathered after a pass (until ``settle``), or each for its own computation."""
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule) and module is not model:
            module.set_reshard_after_forward(not keep, recurse=False)


def exchange_gradients(model: nn.Module, now: bool) -> None:
    """Whether the next backward pass of a sharded model sends its gradients on, or only adds them up."""
    from torch.distributed.fsdp import FSDPModule

    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(now)


def is_sharded(model: nn.Module) -> bool:
    """Whether ``shard`` was called on it."""
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def whole(value: Tensor) -> Tensor:
    """A sharded tensor put together (all processes must call it); any other as it is."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def like(value: Tensor, model: Tensor) -> Tensor:
    """A whole tensor laid out as ``model`` is: the same shards, the same device."""
    if not isinstance(model, DTensor):
        return value.to(model.device)
    shards = distribute_tensor(value.to(model.device_mesh.device_type), model.device_mesh, model.placements)
    return shards.to(model.to_local().device)


def whole_optimizer(state: dict[str, Any]) -> dict[str, Any]:
    """An optimizer's state_dict with whole tensors on the CPU, so that any number of processes can go on with it."""
    plain = {
        index: {name: whole(v).cpu() if isinstance(v, Tensor) else v for name, v in entries.items()}
        for index, entries in state["state"].items()
    }
    return state | {"state": plain}


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load a state of whole tensors into an optimizer whose parameters may be shards."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    laid = {
        index: {
            name: like(v, parameters[index])
            if isinstance(v, Tensor) and v.shape == parameters[index].shape
            else v
            for name, v in entries.items()
        }
        for index, entries in state["state"].items()
    }
    optimizer.load_state_dict(state | {"state": laid})


def sum_over_processes(value: Tensor) -> Tensor:
    """In place; the identity for one process."""
    if world()[1] > 1:
        distributed.all_reduce(value)
    return value


def largest(value: int, device: torch.device) -> int:
    """The largest of a number over the processes."""
    if world()[1] == 1:
        return value
    number = torch.tensor([value], device=device)
    distributed.all_reduce(number, distributed.ReduceOp.MAX)
    return int(number.item())


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Add up every trained parameter's gradient over the processes (a process without pictures adds zero)."""
    if world()[1] == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        distributed.all_reduce(parameter.grad)


def of_first(value: Tensor) -> Tensor:
    """In place: what the first process has; the identity for one process."""
    if world()[1] > 1:
        distributed.broadcast(value, 0)
    return value


def gather(value: Any) -> list[Any]:
    """A plain value of every process, in order of rank."""
    if world()[1] == 1:
        return [value]
    found: list[Any] = [None] * world()[1]
    distributed.all_gather_object(found, value)
    return found


def barrier() -> None:
    """Wait for the others."""
    if world()[1] > 1:
        distributed.barrier()
