"""Who is to blame for a worker's end: its task or its position."""

from mesogpu.execute.blame import POSITION_FAILURES, TASK_FAILURES, Blame
from mesogpu.execute.remote import IDLE


def test_a_position_is_spent_when_every_task_fails_there():
    blame = Blame()
    for task in range(POSITION_FAILURES):
        assert not blame.position_is_spent(1)
        blame.worker_ended(1, task, finished=0)
    assert blame.position_is_spent(1)
    assert not blame.position_is_spent(2)


def test_a_position_whose_workers_cannot_start_is_spent():
    blame = Blame()
    for _ in range(POSITION_FAILURES):
        blame.worker_ended(2, IDLE, finished=0)
    assert blame.position_is_spent(2)


def test_a_finished_task_clears_its_position():
    blame = Blame()
    for task in range(10 * POSITION_FAILURES):
        blame.worker_ended(1, task, finished=int(task % 3 == 0))
    assert not blame.position_is_spent(1)


# Seen to fail with failures of a task that fails everywhere left to count against its positions.
def test_a_task_that_fails_on_two_positions_counts_against_neither():
    blame = Blame()
    for task in range(3 * POSITION_FAILURES):
        for position in (1, 2, 1, 2):
            blame.worker_ended(position, task, finished=0)
        assert blame.task_is_spent(task)
        blame.forget(task)
    assert blame.failures(1) == blame.failures(2) == 0


def test_one_task_alone_spends_no_position():
    blame = Blame()
    for _ in range(TASK_FAILURES):
        blame.worker_ended(1, 7, finished=0)
    assert not blame.task_is_spent(7)
    blame.worker_ended(1, 7, finished=0)
    assert blame.task_is_spent(7)
    assert blame.failures(1) == 1


def test_a_task_is_tried_again_where_it_did_not_fail_and_least_is_waiting():
    blame = Blame()
    blame.worker_ended(1, 7, finished=0)
    assert blame.elsewhere(7, [1, 2, 3], busy=[2]) == 3
    blame.worker_ended(3, 7, finished=0)
    assert blame.elsewhere(7, [1, 2, 3], busy=[2]) == 2
    assert blame.elsewhere(7, [1], busy=[1, 1]) == 1
