"""The published folders load in diffusers and transformers and do there what they do here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from transformers import BlipImageProcessorPil as ImageProcessor

from recipes.mini import clip_text, evaluate_parts, publish_parts, unet, vision
from recipes.mini.objects import NAMES
from recipes.mini.pictures import compose
from recipes.mini.scenes import pixels


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Random weights, published."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("out")
    vision.publish_text(*clip_text.build(clip_text.write_tokenizers(folder / "text")), folder)
    vision.publish_vision(vision.build_vision(), vision.Aids(), folder)
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
    states, embeds = unet.TextSide(out / "text").states(["a red apple"])
    assert torch.allclose(states, expected, atol=1e-5)
    assert torch.allclose(embeds, pooled, atol=1e-5)


def test_total_size_stays_under_the_limit(out):
    total = sum(path.stat().st_size for path in (out / "hf").rglob("*.safetensors"))
    assert total / 2 < 50e6, "fp16 weights must stay under 50 MB"


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


def test_a_new_unet_draws_nothing_yet_but_learns():
    """Zero at the start, and the gradient reaches the output at once."""
    torch.manual_seed(0)
    network = unet.build()
    unet.start_at_zero(network)
    conditions = {"text_embeds": torch.randn(1, 128), "time_ids": torch.tensor([unet.TIME_IDS]).float()}
    out = network(
        torch.randn(1, 8, 16, 16), 500, torch.randn(1, 77, 224), added_cond_kwargs=conditions
    ).sample
    assert out.abs().max() == 0
    (out - 1).square().mean().backward()
    assert network.conv_out.weight.grad.abs().max() > 0


def test_scheduler_reaches_noise():
    """At the last step so little of a picture is left that drawing may begin from pure noise."""
    remaining = unet.build_scheduler().alphas_cumprod[-1].item()
    assert remaining < 3e-4
