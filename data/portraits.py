"""Drawing one face, feature by feature, and what a photograph does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.canvas import Arc, Canvas, Oval, Pose, soft_noise, soften

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.synthetic import Face

_SIDES = (-1, 1)


def draw_portrait(rng: np.random.Generator, face: Face, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw a face in a random pose, light and quality; returns uint8 (H, W, 1)."""
    normal = rng.standard_normal(4)
    pose = Pose(0.05 * normal[0], 0.04 + 0.05 * normal[1], 0.10 * normal[2], 1.0 + 0.07 * normal[3])
    canvas = Canvas(size, pose)
    _background(canvas, rng, face)
    _head(canvas, rng, face)
    _hair(canvas, rng, face)
    _wrinkles(canvas, rng, face)
    _nose(canvas, face)
    _mouth(canvas, face)
    _eyes(canvas, face)
    _things(canvas, rng, face)
    return _photograph(canvas, rng)


def _background(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """Paint what is behind: a wall, long hair, neck and shoulders."""
    size = (canvas.tones.shape[0], canvas.tones.shape[1])
    canvas.tones += np.float32(rng.uniform(20, 245)) + np.float32(rng.uniform(2, 30)) * soft_noise(rng, size, 5)
    clothes, neck = float(rng.uniform(15, 235)), 0.46 - 0.08 * face.child
    canvas.oval(Oval(0, 1.75, 1.3, 0.72), clothes)
    if face.long_hair:
        canvas.oval(Oval(0, 0.15, face.half_width + 0.22, 1.2), face.hair * 0.85)
    canvas.oval(Oval(0, 1.0, neck, 0.45), face.skin * 0.72)


def _head(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """Paint ears and head: round in children, narrowing to the chin in adults, heavy in the old; then its texture."""
    for side in _SIDES:
        canvas.oval(
            Oval(side * (face.half_width + 0.02), face.eye_y + 0.14, 0.09, 0.2 + 0.04 * face.worn), face.skin * 0.8
        )
    below = np.maximum(canvas.y - np.float32(0.1), 0)
    width = np.float32(face.half_width) * np.maximum(1 - np.float32(face.jaw) * below * below, np.float32(0.2))
    across, down = canvas.x / width, canvas.y / np.float32(0.99)
    away = across * across + down * down
    coverage = canvas.edge((1 - np.sqrt(away)) * np.float32(face.half_width))
    size = (canvas.tones.shape[0], canvas.tones.shape[1])
    texture = 3 * soft_noise(rng, size, 14) + np.float32(2 + 11 * face.spots) * soft_noise(rng, size, 30)
    canvas.blend(coverage, np.float32(face.skin) * (np.float32(1.04) - np.float32(0.22) * away * away) + texture)
    for side in _SIDES:
        hollow = 0.10 * face.worn - 0.07 * face.child
        canvas.glow(Oval(side * 0.42, 0.38, 0.26, 0.3), -face.skin * hollow)
    if face.beard > 0:
        canvas.blend(
            coverage * np.clip((canvas.y - np.float32(0.36)) * 5, 0, 1) * np.float32(0.8 * face.beard), face.hair
        )


def _hair(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """Paint the hair above a hairline that recedes at the temples, and the hair next to the face where it is long."""
    across = canvas.x / np.float32(face.half_width + 0.05)
    line = np.float32(face.hairline) + np.float32(0.75 - 0.45 * face.temples) * across * across
    dome = 1 - np.sqrt(across * across + (canvas.y / np.float32(1.07)) * (canvas.y / np.float32(1.07)))
    coverage = canvas.edge(dome) * np.clip((line - canvas.y) * 9 + np.float32(0.5), 0, 1)
    coverage *= canvas.y < np.float32(face.eye_y + 0.15)
    size = (canvas.tones.shape[0], canvas.tones.shape[1])
    strands = 1 + np.float32(0.13) * soft_noise(rng, size, 26)
    canvas.blend(coverage * np.float32(face.hair_cover), np.float32(face.hair) * strands)
    if face.long_hair:
        for side in _SIDES:
            canvas.arc(Arc(side * (face.half_width + 0.06), 0.3, 1.0, -side * 0.1, 0.17, upright=True), face.hair)


def _wrinkles(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """Paint the lines of the forehead, between the brows, next to nose and mouth, and at the neck; deeper with age."""
    depth, dark = min(face.wrinkles, 1.3), face.skin * 0.45
    for line in range(4):
        y = face.eye_y - 0.30 - 0.085 * line + 0.012 * float(rng.standard_normal())
        canvas.arc(Arc(0.04 * float(rng.standard_normal()), y, 0.42, 0.03, 0.012), dark, min(0.75 * depth, 1))
    for side in _SIDES:
        fold = min(0.08 + 0.75 * depth + max(face.smile, 0.0) * 2, 1.0) * (1 - face.child)
        canvas.arc(Arc(side * 0.30, face.nose_y + 0.18, 0.22, -side * 0.05, 0.018, upright=True), dark, 0.8 * fold)
        canvas.arc(Arc(side * 0.29, 0.80, 0.13, side * 0.03, 0.015, upright=True), dark, min(0.7 * depth, 1))
        canvas.arc(
            Arc(side * 0.05, face.eye_y - 0.13, 0.09, side * 0.01, 0.012, upright=True), dark, min(0.6 * depth, 1)
        )
        for ray in (-1, 0, 1):
            at = Arc(side * (face.eye_x + 0.24), face.eye_y + 0.065 * ray, 0.085, 0.02 * ray, 0.011)
            canvas.arc(at, dark, min(0.8 * depth, 1))
        for low, tone in ((0.10, -0.18), (0.135, -0.10)):
            bag = Oval(side * face.eye_x, face.eye_y + low, 0.17, 0.075)
            canvas.glow(bag, face.skin * tone * min(depth, 1.0))
    canvas.arc(Arc(0, 1.08, 0.35, -0.05, 0.02), dark, min(0.6 * depth, 1))


def _nose(canvas: Canvas, face: Face) -> None:
    """Paint the nose: a lit ridge, a shaded side, nostrils; short and faint in children."""
    x, strength = face.yaw * 1.4, 1 - 0.55 * face.child
    canvas.glow(Oval(x, face.nose_y - 0.1, 0.11, 0.3), 0.13 * face.skin)
    side = 1 if face.yaw < 0 else -1
    canvas.arc(
        Arc(x + side * 0.085, face.nose_y - 0.15, 0.2, side * 0.03, 0.02, upright=True),
        face.skin * 0.62,
        0.6 * strength,
    )
    canvas.arc(Arc(x, face.nose_y + 0.05, face.nose_width, -0.03, 0.02), face.skin * 0.55, 0.8 * strength)
    for side in _SIDES:
        canvas.oval(Oval(x + side * face.nose_width * 0.5, face.nose_y + 0.035, 0.035, 0.022), face.skin * 0.3, 0.9)


def _mouth(canvas: Canvas, face: Face) -> None:
    """Paint the lips, thinner with age, closed or showing teeth."""
    x, y, half = face.yaw, face.mouth_y, face.mouth_width
    canvas.arc(Arc(x, y + face.smile, half, -face.smile, face.lips + 0.05 * face.teeth), face.skin * 0.62)
    if face.teeth > 0:
        canvas.arc(Arc(x, y + face.smile, half * 0.85, -face.smile, 0.05 * face.teeth), 225)
    canvas.arc(Arc(x, y + face.smile, half * 1.02, -face.smile, 0.012), face.skin * 0.28, 1 - 0.8 * face.teeth)
    canvas.glow(Oval(x, y + 0.15, 0.16, 0.07), -0.12 * face.skin)


def _eyes(canvas: Canvas, face: Face) -> None:
    """Paint eyes and brows: large and low in children, hooded with age; brows fade to the hair's gray."""
    wide, high = face.eye_width, face.eye_height
    brow_tone = 0.6 * min(face.hair, face.skin * 0.75) + 0.25 * face.hair
    for side in _SIDES:
        x, y = side * face.eye_x + face.yaw, face.eye_y
        canvas.glow(Oval(x, y - 0.02, 0.24, 0.17), -face.skin * (0.14 + 0.1 * face.worn - 0.08 * face.child))
        canvas.oval(Oval(x, y, wide, high), 0.35 * face.skin + 140)
        round_ = min(high * 1.15, wide * 0.6)
        canvas.oval(Oval(x + 0.3 * face.yaw, y, round_, min(round_, high)), face.iris)
        canvas.oval(Oval(x + 0.3 * face.yaw - 0.02, y - 0.02, 0.018, 0.018), 235, 0.8)
        canvas.arc(Arc(x, y - high, wide * 1.1, 0.75 * high, 0.022), face.skin * 0.25)
        canvas.arc(Arc(x, y + high, wide, -0.6 * high, 0.010), face.skin * 0.5, 0.7)
        canvas.arc(Arc(x, y - high - 0.045, wide, 0.04, 0.012), face.skin * 0.5, 0.25 + 0.6 * min(face.worn, 1.0))
        brow = Arc(x + side * 0.02, y - 0.205 - 0.25 * (high - 0.06), 0.19, 0.045, 0.022 + 0.024 * face.brow)
        canvas.arc(brow, brow_tone, min(face.brow, 1.0))


def _things(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """Put on glasses, a hat, or something in front of the face, each on some faces only."""
    glasses, hat, object_ = rng.random(3)
    tone = float(rng.uniform(5, 90))
    if glasses < 0.05 + 0.25 * min(face.worn, 1.0):
        for side in _SIDES:
            for edge in (-1, 1):
                y = face.eye_y + 0.02 + edge * 0.15
                canvas.arc(Arc(side * face.eye_x + face.yaw, y, 0.25, -edge * 0.11, 0.02), tone)
        canvas.arc(Arc(face.yaw, face.eye_y - 0.02, 0.12, 0.03, 0.02), tone)
    if hat < 0.06:
        canvas.oval(Oval(0, -0.95, face.half_width + 0.2, 0.45), float(rng.uniform(20, 230)))
    if object_ < 0.10:
        x, y, wide, high = rng.uniform((-0.9, -0.6, 0.12, 0.12), (0.9, 1.0, 0.4, 0.4))
        canvas.oval(Oval(float(x), float(y), float(wide), float(high)), float(rng.uniform(10, 245)))


def _photograph(canvas: Canvas, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light the scene from a side, blur it, and add contrast, exposure and grain."""
    across, down, exposure = (float(value) for value in rng.standard_normal(3))
    light = 1 + np.float32(0.16 * across) * canvas.x + np.float32(0.12 * down) * canvas.y
    tones = soften(canvas.tones * light, int(rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))))
    contrast, grain = rng.uniform((0.55, 1.5), (1.1, 8.0))
    tones = (tones - 128) * np.float32(contrast) + np.float32(128 + 14 * exposure)
    tones += np.float32(grain) * rng.standard_normal(tones.shape, dtype=np.float32)
    return np.clip(np.rint(tones), 0, 255).astype(np.uint8)[:, :, np.newaxis]
