"""The latent basis: local, the same each time, and holding what a picture shows."""

from __future__ import annotations

import pytest
import torch

from recipes.mini import latents, vae
from recipes.mini.hand_scenes import LAYOUTS, hand_scene


@pytest.fixture(scope="module")
def basis(pictures):
    return latents.find_basis(pictures, scenes=300)


def held_out(pictures, count=8):
    """Scenes whose seeds the basis was not found from."""
    images = [hand_scene(90_000_000 + at, LAYOUTS[at % len(LAYOUTS)], pictures)[2] for at in range(count)]
    return latents.pixels_of(images)


def test_a_crop_on_the_grid_has_the_latents_of_its_place(basis, pictures):
    images = held_out(pictures, 2)
    crop = basis.encode(images[..., 16:80, 32:96])
    assert torch.allclose(crop, basis.encode(images)[..., 1:5, 2:6], atol=1e-4)


def test_found_twice_is_the_same(basis, pictures):
    assert torch.equal(basis.weights, latents.find_basis(pictures, scenes=300).weights)


def test_latents_hold_most_of_a_picture(basis, pictures):
    """Drawn back by least squares alone, a picture is within 7 of 255 on average."""
    images = held_out(pictures)
    assert (basis.decode(basis.encode(images)) - images).abs().mean() * 127.5 < 7


def test_latents_have_unit_mean_square(basis, pictures):
    assert float(basis.encode(held_out(pictures, 64)).square().mean()) == pytest.approx(1, abs=0.2)


def test_a_plain_colour_is_kept_by_the_untrained_decoder(basis):
    """What group normalisation alone would hide."""
    torch.manual_seed(0)
    network = vae.build().eval()
    vae.start_as_enlargement(network, basis)
    wanted = torch.tensor([0.6, -0.4, 0.1])
    with torch.no_grad():
        drawn = network.decode(basis.encode(wanted.view(1, 3, 1, 1).expand(1, 3, 128, 128))).sample
    assert torch.allclose(drawn[..., 56:72, 56:72].mean((0, 2, 3)), wanted, atol=0.1)
