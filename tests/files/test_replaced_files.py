"""An output that replaces a file keeps what the file was: its permissions, its owner, its links; bytes before names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

import mfgsolve as mfg
from mfgsolve.files import netcdf as files


def put(data: bytes):
    return lambda temporary: temporary.write_bytes(data)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_permissions_are_kept(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "plan.nc"
    target.write_bytes(b"old")
    target.chmod(mode)
    files.replace_file(target, put(b"new"))
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_the_owner_is_kept_where_the_system_lets_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "plan.nc"
    target.write_bytes(b"old")
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: asked.append((user, group)))
    files.replace_file(target, put(b"new"))
    assert asked == [(-1, target.stat().st_gid), (target.stat().st_uid, -1)]

    def refuse(*_: object) -> None:
        raise PermissionError(1, "not yours")

    monkeypatch.setattr(os, "chown", refuse)
    files.replace_file(target, put(b"newer"))
    assert target.read_bytes() == b"newer"


def test_all_names_of_a_file_lead_to_what_replaces_it(tmp_path: Path) -> None:
    target, other = tmp_path / "plan.nc", tmp_path / "other.nc"
    target.write_bytes(b"old and longer")
    os.link(target, other)
    files.replace_file(target, put(b"new"))
    assert other.read_bytes() == target.read_bytes() == b"new"
    assert target.samefile(other)
    assert sorted(os.listdir(tmp_path)) == ["other.nc", "plan.nc"]


def test_what_was_to_be_written_is_left_where_a_linked_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "plan.nc"
    target.write_bytes(b"old")
    os.link(target, tmp_path / "other.nc")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.shutil, "copyfileobj", fail)
    with pytest.raises(
        mfg.FileError, match=r"No space left on device; it may be damaged .* is in .*\.plan\.nc\."
    ) as it:
        files.replace_file(target, put(b"new"))
    (left,) = [name for name in os.listdir(tmp_path) if name.startswith(".")]
    assert left in str(it.value)
    assert (tmp_path / left).read_bytes() == b"new"


def test_links_of_links_and_rings(tmp_path: Path) -> None:
    (tmp_path / "a.nc").symlink_to("b.nc")
    (tmp_path / "b.nc").symlink_to("c.nc")
    files.replace_file(tmp_path / "a.nc", put(b"new"))  # c.nc was not there
    assert (tmp_path / "c.nc").read_bytes() == b"new"
    assert (tmp_path / "a.nc").is_symlink()
    (tmp_path / "ring.nc").symlink_to("ring.nc")
    with pytest.raises(mfg.FileError, match="cannot be looked for: Too many levels of symbolic links"):
        files.replace_file(tmp_path / "ring.nc", put(b"new"))
    assert (tmp_path / "ring.nc").is_symlink()


def test_bytes_are_on_the_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, move = os.fsync, os.replace

    def watched(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("name"), move(*names)))
    files.replace_file(tmp_path / "plan.nc", put(b"new"))
    assert done == ["file", "name", "folder"]


def test_a_disk_that_fails_while_it_is_flushed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "plan.nc"
    target.write_bytes(b"old")

    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(mfg.FileError, match="Input/output error; any earlier file is untouched"):
        files.replace_file(target, put(b"new"))
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["plan.nc"]


def test_a_name_as_long_as_a_name_may_be(tmp_path: Path) -> None:
    name = "n" * 250 + ".nc"
    assert files.replace_file(tmp_path / name, put(b"new")).read_bytes() == b"new"
