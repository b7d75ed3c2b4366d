import numpy as np

from data.canvas import Arc, Canvas, Oval, Pose, soft_noise, soften

STILL = Pose(0, 0, 0, 1)


def test_an_oval_fills_its_inside_only():
    canvas = Canvas((101, 101), STILL)
    canvas.oval(Oval(0, 0, 0.5, 0.25), 200)
    assert canvas.tones[50, 50] == 200
    assert canvas.tones[50, 5] == canvas.tones[80, 50] == 0
    expected = np.pi * 0.5 * 0.25 * (0.46 * 101) ** 2 * 200
    assert abs(canvas.tones.sum() / expected - 1) < 0.02


def test_drawing_in_a_window_equals_drawing_everywhere():
    pose = Pose(0.1, -0.05, 0.3, 0.9)
    canvas, whole = Canvas((60, 80), pose), Canvas((60, 80), pose)
    whole._window = lambda *_: (slice(None), slice(None))
    for one in (canvas, whole):
        one.oval(Oval(0.3, -0.2, 0.2, 0.1), 90)
        one.arc(Arc(-0.2, 0.3, 0.3, 0.1, 0.03), 200)
        one.arc(Arc(0.4, 0.3, 0.3, 0.2, 0.03, upright=True), 150)
        one.glow(Oval(0, 0, 0.3, 0.2), 30)
    assert np.array_equal(canvas.tones, whole.tones)


def test_shapes_outside_the_image_draw_nothing():
    canvas = Canvas((40, 40), STILL)
    canvas.oval(Oval(9, 9, 0.5, 0.5), 200)
    canvas.arc(Arc(-9, 0, 0.5, 0.1, 0.1), 200)
    assert canvas.tones.sum() == 0


def test_an_arc_thinner_than_a_pixel_gets_fainter():
    totals = []
    for thickness in (0.01, 0.005, 0.0025):
        canvas = Canvas((91, 91), STILL)
        canvas.arc(Arc(0, 0, 0.5, 0, thickness), 100)
        totals.append(float(canvas.tones.sum()))
    assert np.allclose(totals[0] / np.array(totals), (1, 2, 4), rtol=0.05)


def test_softening_keeps_the_mean_inside_and_the_type():
    tones = np.zeros((20, 20), np.float32)
    tones[10, 10] = 160
    soft = soften(tones, 2)
    assert soft.dtype == np.float32
    assert np.isclose(soft.sum(), 160)
    assert soft.max() < 40


def test_soft_noise_has_the_size_asked_for():
    noise = soft_noise(np.random.default_rng(0), (30, 50), 6)
    assert (noise.shape, noise.dtype) == ((30, 50), np.float32)
