import os
import subprocess
import sys

from search.study.owner import host_and_pid, is_gone, process_of, this_process

NAME_ITSELF = "from search.study.owner import this_process; print(this_process(), flush=True); input()"


def test_this_process_is_not_gone():
    assert not is_gone(this_process())


def test_a_dead_process_is_gone_before_and_after_it_is_waited_for():
    child = subprocess.Popen(
        [sys.executable, "-c", NAME_ITSELF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        owner = child.stdout.readline().strip()
        assert not is_gone(owner)
        assert owner == process_of(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(owner)  # a zombie still
    assert is_gone(owner)


def test_another_process_with_the_same_id_is_not_the_same():
    machine, pid, start = this_process().rsplit(":", 2)
    assert is_gone(f"{machine}:{pid}:{int(start) - 1}")


def test_a_process_may_have_a_name_that_is_no_text():
    rename = "import sys; open('/proc/self/comm', 'wb').write(b') \\xff Z ('); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        child.stdout.readline()
        owner = process_of(child.pid)
        machine, pid, start = owner.rsplit(":", 2)
        assert not is_gone(owner)
        assert is_gone(f"{machine}:{pid}:{int(start) - 1}")
        child.kill()


def test_of_other_machines_and_boots_nothing_is_certain():
    assert not is_gone("elsewhere/boot/1:1:1")


def test_a_process_of_another_user_is_alive(monkeypatch):
    def deny(_pid, _signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", deny)
    machine, _, _ = this_process().rsplit(":", 2)
    assert not is_gone(f"{machine}:1:1")


def test_an_owner_prints_as_host_and_process_id():
    assert host_and_pid("lab:3/boot/4026531836:77:12345") == ("lab:3", 77)
