"""Pictures without a plotting library: a PNG that others read, colours in the order of the density, walls in grey."""

from __future__ import annotations

import base64
import io
import re
import zlib

import numpy as np
from PIL import Image

from mfgsolve.display.pictures import COLOURS, GAP, WALL, png, strip


def pixels_of(element: str) -> np.ndarray:
    data = base64.b64decode(re.search(r"base64,([^\"]+)", element)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def test_a_png_is_read_back_by_another_library():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)
    assert zlib.crc32(png(pixels)[-8:-4]) == int.from_bytes(png(pixels)[-4:], "big")  # of the last block


def test_colours_go_from_nobody_to_the_crowd_and_the_first_row_is_at_the_bottom():
    picture = pixels_of(strip(np.array([[[0.0, 1.0], [0.25, np.nan]]])))
    size = len(picture) // 2
    assert picture.shape == (2 * size, 2 * size, 4)
    np.testing.assert_array_equal(picture[-1, 0, :3], COLOURS[0])
    np.testing.assert_array_equal(picture[-1, -1, :3], COLOURS[-1])
    np.testing.assert_array_equal(picture[0, 0, :3], COLOURS[4])  # root of a quarter: half way
    np.testing.assert_array_equal(picture[0, -1, :3], WALL)


def test_levels_stand_side_by_side_in_one_scale():
    picture = pixels_of(strip(np.array([[[1.0]], [[4.0]]])))
    side = (picture.shape[1] - GAP) // 2
    np.testing.assert_array_equal(picture[0, 0, :3], COLOURS[4])
    np.testing.assert_array_equal(picture[0, -1, :3], COLOURS[-1])
    assert (picture[:, side : side + GAP, 3] == 0).all()


def test_large_fields_are_thinned_and_an_empty_one_is_dark():
    picture = pixels_of(strip(np.zeros((1, 1000, 300)), np.zeros((1000, 300), dtype=bool)))
    assert max(picture.shape[:2]) <= 256
    assert (picture[..., :3] == COLOURS[0]).all()
