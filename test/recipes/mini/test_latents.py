"""The latent basis: means in front, structure behind, local, and the same each time."""

from __future__ import annotations

import pytest
import torch

from recipes.mini import latents, vae
from recipes.mini.scenes import batch_of, pixels


@pytest.fixture(scope="module")
def basis(pictures):
    return latents.find_basis(pictures, scenes=100)


def test_first_channels_are_the_scaled_thumbnail(basis):
    images = torch.rand(2, 3, 32, 48) * 2 - 1
    thumbnail = torch.nn.functional.avg_pool2d(images, latents.CELL)
    assert torch.allclose(basis.encode(images)[:, :3], latents.COLOUR_SCALE * thumbnail, atol=1e-5)


def test_structure_is_blind_to_plain_colour(basis):
    plain = torch.tensor([0.3, -0.8, 0.5]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    assert basis.encode(plain)[:, 3:].abs().max() < 1e-4


def test_a_crop_on_the_grid_has_the_latents_of_its_place(basis, pictures):
    images = pixels(batch_of(pictures, "validation", 0, 2))
    whole = basis.encode(images)
    crop = basis.encode(images[..., 16:80, 40:104])
    assert torch.allclose(crop, whole[..., 2:10, 5:13], atol=1e-5)


def test_found_twice_is_the_same(basis, pictures):
    assert torch.equal(basis.weights, latents.find_basis(pictures, scenes=100).weights)


def test_latents_hold_most_of_a_picture(basis, pictures):
    """Drawn back by least squares alone, a held-out scene is nearer than its thumbnail is."""
    images = pixels(batch_of(pictures, "held-out", 0, 8))
    inverse = torch.linalg.pinv(basis.weights.flatten(1)).T.reshape(basis.weights.shape)
    back = torch.nn.functional.conv_transpose2d(basis.encode(images), inverse, stride=latents.CELL)
    thumbnail = torch.nn.functional.avg_pool2d(images, latents.CELL)
    flat = torch.nn.functional.interpolate(thumbnail, scale_factor=latents.CELL)
    assert (back - images).square().mean() < 0.5 * (flat - images).square().mean()


def test_scaling_gives_unit_deviation(basis, pictures):
    scale = latents.measure_scaling(basis, pictures, count=64)
    values = basis.encode(pixels(batch_of(pictures, "training", 0, 64)))
    assert float((values * scale).std()) == pytest.approx(1, abs=1e-3)


def test_decoder_begins_as_an_enlargement(basis, pictures):
    """Before any training, what it draws away from the border is near the picture, colours included."""
    torch.manual_seed(0)
    network = vae.build().eval()
    vae.start_as_enlargement(network)
    images = pixels(batch_of(pictures, "held-out", 0, 6))
    with torch.no_grad():
        drawn = network.decode(basis.encode(images)).sample
    inner = slice(16, -16)
    assert (drawn - images)[..., inner, inner].abs().mean() * 127.5 < 20
    # A plain colour stays itself: what group normalisation alone would hide.
    plain = torch.tensor([0.6, -0.4, 0.1]).view(1, 3, 1, 1).expand(1, 3, 128, 128)
    with torch.no_grad():
        middle = network.decode(basis.encode(plain)).sample[..., 56:72, 56:72]
    assert torch.allclose(middle.mean((0, 2, 3)), torch.tensor([0.6, -0.4, 0.1]), atol=0.05)
