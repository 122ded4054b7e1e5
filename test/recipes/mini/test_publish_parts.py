"""The published folders load in diffusers and transformers and do there what they do here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from transformers import BlipImageProcessorPil as ImageProcessor

from recipes.mini import clip_text, describe, evaluate_parts, publish_parts, unet, vision
from recipes.mini.objects import NAMES
from recipes.mini.pictures import compose
from recipes.mini.scenes import pixels
from recipes.mini.text_side import TextSide


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Random weights, published."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("out")
    words = clip_text.write_tokenizers(folder / "text", describe.corpus(2000))
    for name, encoder in zip(("text_encoder", "text_encoder_2"), describe.build(words), strict=True):
        encoder.save_pretrained(folder / "text" / name)
    vision.publish_encoder(vision.build_vision(), folder, vision.Aids().image_projection.weight)
    unet.build().save_pretrained(folder / "unet")
    publish_parts.publish_image_decoder(folder)
    return folder


def test_diffusers_draws_from_the_folder(out):
    pipeline = StableDiffusionXLPipeline.from_pretrained(out / "hf" / "image-decoder", add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    drawn = [
        pipeline(
            "a cat on a blue background", num_inference_steps=2, generator=torch.Generator().manual_seed(seed)
        )
        for seed in (1, 1, 2)
    ]
    first, same, other = (np.asarray(result.images[0]) for result in drawn)
    assert first.shape == (128, 128, 3)
    assert (first == same).all()
    assert (first != other).any()


def test_text_side_gives_what_the_pipeline_feeds(out):
    pipeline = StableDiffusionXLPipeline.from_pretrained(out / "hf" / "image-decoder", add_watermarker=False)
    expected, _, pooled, _ = pipeline.encode_prompt("a red apple", do_classifier_free_guidance=False)
    states, embeds = TextSide(out / "text").states(["a red apple"])
    # The folder holds half precision.
    assert torch.allclose(states, expected.float(), atol=2e-2)
    assert torch.allclose(embeds, pooled.float(), atol=2e-2)


def test_total_size_stays_under_the_limit(out):
    total = sum(path.stat().st_size for path in (out / "hf").rglob("*.safetensors"))
    assert total < 100e6, "decoder and eyes must stay under 100 MB"
    largest = max(path.stat().st_size for path in (out / "hf").rglob("*.safetensors"))
    assert largest < 50e6, "no file of 50 MB or more"


def test_image_processor_file_gives_our_normalisation(out, pictures):
    processor = ImageProcessor.from_pretrained(out / "hf" / "vision")
    image = compose(4, pictures).image
    theirs = processor(images=image, return_tensors="pt").pixel_values
    assert torch.allclose(theirs, vision.normalised(pixels([compose(4, pictures)])), atol=1e-3)


def test_patch_labels_follow_the_boxes(pictures):
    scene = next(scene for scene in (compose(seed, pictures) for seed in range(100)) if scene.second_object)
    labels = vision.patch_labels(scene).view(8, 8)
    for name, box in ((scene.main_object, scene.main_box), (scene.second_object, scene.second_box)):
        column, row = (box[0] + box[2]) // 32, (box[1] + box[3]) // 32
        assert labels[row, column] == NAMES.index(name)
    assert (labels == vision.NOTHING).any()


def test_judging_counts_only_candidates():
    scores = torch.zeros(len(NAMES))
    scores[3], scores[5] = 2.0, 1.0
    assert evaluate_parts.best_of(scores, [1, 3, 5]) == NAMES[3]
    assert evaluate_parts.best_of(scores, [1, 5]) == NAMES[5]


def test_requests_are_distinct_and_fixed():
    asked = evaluate_parts.requests()
    assert len({name for name, _ in asked}) == 100
    assert asked == evaluate_parts.requests()


def test_scheduler_reaches_noise():
    """At the last step so little of a picture is left that drawing may begin from pure noise."""
    remaining = unet.build_scheduler().alphas_cumprod[-1].item()
    assert remaining < 3e-4


def test_noise_is_what_the_scheduler_says():
    """Clean latents come back from noised ones by the scheduler's own signal share; the last step is noise alone."""
    torch.manual_seed(0)
    remaining = unet.build_scheduler().alphas_cumprod
    times = torch.randint(0, 1000, (4000,))
    times[:4] = 999
    noisy = unet.NoiseLevels().noised(torch.ones(4000, 1, 1, 1), times)
    signal = remaining[times].sqrt().view(-1, 1, 1, 1)
    rest = (noisy - signal) / (1 - signal.square()).sqrt()
    assert abs(rest.mean()) < 0.06 and abs(rest.std() - 1) < 0.05
    assert remaining[-1] < 1e-6


def test_a_new_unet_draws_nothing_yet_but_learns():
    """Zero at the start, and the gradient reaches the output at once."""
    torch.manual_seed(0)
    network = unet.new_network()
    drawn = unet.predict(
        network, torch.randn(2, 32, 8, 8), torch.tensor([500, 20]), torch.randn(2, unet.POOLED)
    )
    assert drawn.abs().max() == 0
    (drawn - 1).square().mean().backward()
    assert network.conv_out.weight.grad.abs().max() > 0
