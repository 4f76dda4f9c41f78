import pytest
from person import *
@pytest.mark.parametrize("i",[1,2])
def test_fail(open_window, trained_project, i):
    p = open_window(trained_project)
    assert 0
@pytest.mark.parametrize("i",[1,2])
def test_dropfail(open_window, trained_project, corpora, i):
    p = open_window(trained_project)
    drop(p.prompt.viewport(), file_drag([corpora["verse"]]))
    assert 0
@pytest.mark.parametrize("i",[1,2])
def test_dropwait(open_window, trained_project, corpora, i):
    p = open_window(trained_project)
    drop(p.prompt.viewport(), file_drag([corpora["verse"]]))
    p.wait(lambda: p.dialog is not None, 2)
