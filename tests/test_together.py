"""Two processes end with what one ends with; what cannot be is refused before any is started."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import together
import torch
from fresh import in_a_fresh_python
from safetensors.torch import load_file
from toy import toy

import seminar_lib
from seminar_lib.train import fit
from seminar_lib.train.processes import check_devices

pytestmark = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two processes want two CPU cores")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What two processes left; before them, one process was interrupted after an epoch."""
    folder = tmp_path_factory.mktemp("together")

    def interrupt(history) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), together.double_precision():
        fit(together.INTERRUPTED, toy(), folder / "resumed", progress=False, watch=interrupt)
    library = str(Path(seminar_lib.__file__).parents[1])  # a script does not look for it where it is called
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error", "PYTHONPATH": library}
    command = [sys.executable, together.__file__, str(folder)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert result.returncode == 0, result.stderr
    return folder


RECIPES = {**together.RECIPES, "resumed": together.INTERRUPTED}


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_end_with_the_weights_and_the_history_of_one(name, folder):
    """Up to a billionth of the largest weight, in double precision."""
    with together.double_precision():
        alone = fit(RECIPES[name], toy(), progress=False)
    shared = load_file(folder / f"{name} first.safetensors")
    for key, weights in alone.last.state_dict().items():
        assert weights.dtype == shared[key].dtype
        torch.testing.assert_close(shared[key], weights, rtol=1e-9, atol=1e-9 * float(weights.abs().max()))
    history, _ = json.loads((folder / f"{name} first.json").read_text())
    for ours, theirs in zip(history, alone.history, strict=True):
        assert ours.keys() == theirs.keys()
        for figure in ours.keys() - {"seconds"}:
            assert ours[figure] == pytest.approx(theirs[figure], rel=1e-9), figure


@pytest.mark.parametrize("name", RECIPES)
def test_both_processes_end_with_the_same_bits(name, folder):
    first, second = (load_file(folder / f"{name} {rank}.safetensors") for rank in ("first", "second"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    histories = [json.loads((folder / f"{name} {rank}.json").read_text())[0] for rank in ("first", "second")]
    assert histories[0] == histories[1]


def test_the_first_process_alone_is_watched(folder):
    told = [json.loads((folder / f"trades {rank}.json").read_text())[1] for rank in ("first", "second")]
    assert told == [2, 0]


def test_the_folder_of_a_run_that_two_processes_finished_has_a_line_for_each_epoch(folder):
    lines = (folder / "resumed" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]


def test_both_processes_stop_where_the_training_diverges_and_the_last_good_epoch_is_kept(folder):
    assert (folder / "diverged first").exists()
    assert (folder / "diverged second").exists()
    state = load_file(folder / "diverging" / "state.safetensors")
    assert all(weights.isfinite().all() for weights in state.values())
    assert len((folder / "diverging" / "history.jsonl").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"devices": 0}, "at least one device and one machine; got devices=0, machines=1"),
        ({"machines": -1}, "got devices=1, machines=-1"),
        ({"devices": 10_000}, r"This machine has \d+ CPU cores; got devices=10000"),
        ({"devices": 2, "compile": True}, "compile works on one device alone; got devices=2"),
        ({"devices": 4, "machines": 2}, r"torchrun --nnodes 2 --nproc-per-node 4 (.|\n)* --devices 4 --machines 2"),
        ({"devices": 2, "device": "mps"}, "Several devices are 'cpu' .* got 'mps'"),
        ({"devices": 2, "device": "cuda:1"}, "got 'cuda:1'. .*CUDA_VISIBLE_DEVICES"),
    ],
)
def test_devices_that_are_not_there_are_refused(given, words, tmp_path, monkeypatch):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.delenv("SLURM_NTASKS", raising=False)
    with pytest.raises(ValueError, match=words):
        fit(together.BASE, toy(), tmp_path, progress=False, **given)
    assert not list(tmp_path.iterdir())


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    with pytest.raises(ValueError, match="This machine has 3 GPUs; got devices=4"):
        fit(together.BASE, toy(), device="cuda", devices=4)


def test_where_there_is_no_command_to_run_again_several_devices_are_refused(monkeypatch):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.delenv("SLURM_NTASKS", raising=False)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    with pytest.raises(ValueError, match="a notebook or `python -c` is no such command"):
        fit(together.BASE, toy(), progress=False, devices=2)


@pytest.mark.parametrize("variable", ["MASTER_ADDR", "SLURM_NTASKS"])
def test_machines_that_a_launcher_has_told_of_each_other_are_not_refused(variable, monkeypatch):
    monkeypatch.setenv(variable, "2")
    check_devices("cpu", 1, machines=2)


def test_a_launcher_that_started_another_number_of_processes_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ValueError, match="4 processes were started, but the training asks for devices=1 on machines=1"):
        fit(together.BASE, toy(), progress=False)


def test_one_process_needs_no_fabric():
    code = "import sys; from seminar_lib.train import fit; print('lightning_fabric' in sys.modules)"
    assert in_a_fresh_python(code) == "False\n"
