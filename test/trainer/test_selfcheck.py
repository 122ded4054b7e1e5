"""Whether this Python trains, and what it lacks of the trainer's packages."""

from __future__ import annotations

import json
from pathlib import Path

from textbind_trainer import selfcheck

ROOT = Path(__file__).parents[2]


def test_one_real_step_is_trained_and_what_is_missing_is_named(tmp_path, capsys):
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(
        "# torch in any version will do\ntorch==0.1.0\nFAISS_cpu==1.0  # by another spelling\n\n"
        "no-such-package==1.0\nnot-for-us==2.0; sys_platform == 'nowhere'\n"
    )
    model = ["--model", str(ROOT / "models" / "textbind-mini")]
    assert selfcheck.main([*model, "--requirements", str(wanted)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["event"], found["lacks"]) == ("verified", ["no-such-package"])
    assert found["seconds"] > 0


def test_this_python_lacks_nothing_of_the_trainers_own_list():
    assert selfcheck.lacks(ROOT / "resources" / "trainer" / "requirements.txt") == []
