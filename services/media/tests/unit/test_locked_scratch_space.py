from pathlib import Path

from cato_media.adapters.locked_scratch_space import LockedScratchSpace


def test_a_directory_is_removed_when_its_context_ends(tmp_path: Path):
    space = LockedScratchSpace(tmp_path)
    with space.opened():
        with space.directory() as directory:
            (directory / "file").write_text("x")
        assert not directory.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_start_removes_leftover_directories_but_none_in_use(tmp_path: Path):
    (tmp_path / "dead.lock").touch()
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "upload").write_text("x")
    mine, yours = LockedScratchSpace(tmp_path), LockedScratchSpace(tmp_path)
    with mine.opened(), mine.directory() as directory, yours.opened():
        assert directory.exists()
        assert not (tmp_path / "dead").exists()
        assert not (tmp_path / "dead.lock").exists()
