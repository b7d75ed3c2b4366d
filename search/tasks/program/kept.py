"""A program that is kept from trial to trial, and the conversation with it about one of them."""

import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from search.errors import TrialStopped
from search.study.trial import Diverged, Ending, Pruned, Trial
from search.tasks.program.asking import Asked
from search.tasks.program.environment import PIPES
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.guardian import FIRST_PIPE
from search.tasks.program.messages import ASKED, VERSION, Lines, Message, as_file, line_of, scored, trial_line
from search.tasks.program.output import Output
from search.tasks.program.process import ProgramProcess, write_now
from search.tasks.program.program import Program
from search.tasks.program.watch import Watch

STOP_SECONDS = 5.0
"""How long a program has to end a trial by itself once its worker is stopping."""

AT_REST = 100
"""The most pieces that are read of what a program writes between two trials."""

LEAVING = 2.0
"""Seconds that a program has, once there are no more trials, to end by itself."""


class KeptProgram:
    """Runs trials in one process after another: a new one after each failed attempt, as nobody knows what it left."""

    def __init__(self, program: Program, environment: Mapping[str, str], output: Output) -> None:
        self._program, self._environment, self._output = program, environment, output
        self._connection: _Connection | None = None
        self._trials = 0

    @property
    def starts_anew(self) -> bool:
        """Whether the next trial gets a new process."""
        return self._connection is None

    def run(self, trial: Trial, folder: str) -> Ending:
        """Run a trial; raises TrialStopped, ProgramFailure for a failed attempt, or whatever the trial's own raise."""
        self._trials += 1
        watch = Watch(trial, self._program.minutes, STOP_SECONDS)
        try:
            ending = self._run(trial, folder, watch)
        except BaseException:
            self.end()
            raise
        if ending is None:
            raise TrialStopped
        return ending

    def _run(self, trial: Trial, folder: str, watch: Watch) -> Ending | None:
        if self._connection is not None and self._connection.is_gone():
            self.end()
        connection = self._connection or self._connect(watch)
        connection.send(trial_line(self._trials, trial, folder))
        conversation = _Conversation(connection, trial, self._trials)
        while True:
            message = connection.next_message(watch)
            if message.trial is None or message.trial > self._trials:
                raise ProgramFailure(f"the program sent a {message.type[:80]} of no trial; trial is {self._trials}")
            # What an earlier trial has left behind, as in a thread, is none of this one's.
            if message.trial == self._trials and conversation.takes(message):
                return conversation.ending

    def _connect(self, watch: Watch) -> "_Connection":
        """Start the program, and wait until it is ready."""
        connection = self._connection = _Connection(self._program, self._environment, self._output)
        hello = connection.next_message(watch)
        version = hello.says.get("version")
        if hello.type != "hello" or version != VERSION:
            raise ProgramFailure(
                f"the program began with the message {hello.type!r} of version {version!r}; "
                f"it must begin with hello, version {VERSION}"
            )
        return connection

    def close(self) -> None:
        """Let the program end by itself, and end it if it does not."""
        if self._connection is not None:
            self._connection.hang_up()
        self.end()

    def end(self) -> None:
        """End the program, if there is one."""
        if self._connection is not None:
            self._connection.end()
            self._connection = None


class _Connection:
    """A process of the program, and the two pipes to it and from it."""

    def __init__(self, program: Program, environment: Mapping[str, str], output: Output) -> None:
        self._lines = Lines()
        (theirs_in, self._to), (ours, theirs_out) = os.pipe(), os.pipe()
        os.set_blocking(self._to, False)
        theirs = (theirs_in, theirs_out)
        try:
            variables = {**environment, PIPES: f"{FIRST_PIPE},{FIRST_PIPE + 1}"}
            self._process = ProgramProcess(program, program.words(), variables, theirs)
        except BaseException:
            os.close(ours)
            os.close(self._to)
            raise
        finally:
            for pipe in theirs:
                os.close(pipe)
        self._process.listen(output.feed, output.feed)
        self._process.read(ours, self._lines.feed)

    def send(self, line: bytes) -> None:
        write_now(self._to, line)

    def is_gone(self) -> bool:
        """Whether the program has ended since the last trial; whatever it has said since is none of the next one's."""
        try:
            for _ in range(AT_REST):
                if not self._process.turn(0):
                    break
        except ProgramFailure:
            return True
        self._lines.forget()
        return self._process.exit_code is not None or self._lines.closed

    def next_message(self, watch: Watch) -> Message:
        """Wait for a message; raise ProgramFailure if none can come any more, and what the watch raises."""
        while True:
            watch.look()  # before anything else: a program may have no end of things to say
            for message in self._lines.messages():
                return message
            if self._process.exit_code is not None:
                raise ProgramFailure(self._why_no_more())
            # A program that ends closes its pipe a moment before; its exit code says more than that.
            if self._lines.closed and not self._process.wait(LEAVING):
                raise ProgramFailure("the program closed its pipe, and went on without it")
            self._process.turn(watch.pause())

    def _why_no_more(self) -> str:
        hint = "" if self._process.exit_code else " before it gave a value; does it call agesearch.serve?"
        return self._process.why_it_ended() + hint

    def hang_up(self) -> None:
        """Close the pipe to the program, which then has nothing more to do, and wait a while for its end."""
        os.close(self._to)
        self._to = -1
        with suppress(ProgramFailure):  # what it says now is of no trial
            self._process.wait(LEAVING)

    def end(self) -> None:
        if self._to >= 0:
            os.close(self._to)
        self._process.end()


@dataclass(slots=True)
class _Conversation:
    """What a program has said of one trial; `ending` is None if the trial was stopped."""

    connection: _Connection
    trial: Trial
    token: int
    ending: Ending | None = None
    _steps: set[int] = field(default_factory=set)
    _why_pruned: str = ""
    _stopped: bool = False

    def takes(self, message: Message) -> bool:
        """Take in a message, and return whether it ends the trial; raise ProgramFailure for a failed attempt."""
        match message.type:
            case "report":
                self._report(message)
                return False
            case "ask":
                self._answer()
                return False
            case "suggest" if isinstance(asked := self.trial.options.get(ASKED), Asked):
                asked.take(message)
                return False
            case "result":
                self._time(message)
                self.ending = scored(message.number("value"), message.attributes())
            case "diverged":
                self.ending = Diverged(message.text("reason") or "it diverged", as_file(message.attributes()))
            case "pruned" | "error" if self._stopped:
                self.ending = None
            case "pruned":
                reason = self._why_pruned or message.text("reason") or "the program ended it early"
                self.ending = Pruned(reason, len(self._steps), as_file(message.attributes()))
            case "error":
                raise ProgramFailure(f"the objective failed: {message.text('reason')}")
            case _:
                raise ProgramFailure(f"the program sent a message of an unknown type: {message.type[:80]!r}")
        return True

    def _time(self, message: Message) -> None:
        if isinstance(asked := self.trial.options.get(ASKED), Asked):
            asked.seconds = message.number("seconds") if "seconds" in message.says else None

    def _report(self, message: Message) -> None:
        step, value = message.number("step"), message.number("value")
        if not (0 <= step < math.inf and step == int(step)):
            raise ProgramFailure(f"the program reported the step {step:g}; give a whole number from 0 on")
        if step not in self._steps:
            self._steps.add(int(step))
            self.trial.report(int(step), value)

    def _answer(self) -> None:
        self._why_pruned = self.trial.should_prune() if self._steps else ""
        self._stopped = self.trial.should_stop()
        self.connection.send(line_of(type="answer", prune=self._why_pruned, stop=self._stopped))
