"""Rows of events that `Forgetful` alone has once in a thousand examples."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from penstock_config.layout import Group
from tests.sidecar.limits.forgetful import Forgetful
from tests.sidecar.limits.process import GROUPS

group = st.sampled_from(GROUPS)
spent = st.integers(1, 120)


class Unlucky(Forgetful):
    """One thing goes wrong right after the other."""

    @rule(data=st.data(), group=group, spent=spent)
    def a_replica_that_lags_takes_over(self, data: st.DataObject, group: Group, spent: int) -> None:
        self.it_is_saved()
        for way in ("heard", "heard", "mute"):
            self.serve_without_a_hold(data, group, spent, way)
        self.acquire(data, group, spent)
        self._fall_back(self.saved[-1])

    @rule(data=st.data(), group=group, spent=spent)
    def a_call_is_overtaken(self, data: st.DataObject, group: Group, spent: int) -> None:
        process = data.draw(st.sampled_from(self.live))
        for way in ("heard", "late", "heard"):
            self._serve(process, group, spent, way)
        if process.wire.late:
            self.what_was_late_arrives(data, again=False)
        self._serve(process, group, spent, "heard")

    @rule(data=st.data(), group=group, spent=spent)
    def all_is_lost_while_one_is_answered(
        self, data: st.DataObject, group: Group, spent: int
    ) -> None:
        """Another one saw what it had said."""
        unanswered, another, *_ = data.draw(st.permutations(self.live))
        self._serve(unanswered, group, spent, "mute")
        self._serve(another, group, spent, "heard")
        self.all_is_lost()

    @rule(data=st.data(), group=group, spent=spent)
    def data_of_before_a_loss_comes_back(
        self, data: st.DataObject, group: Group, spent: int
    ) -> None:
        """A file, some time after Redis had begun empty."""
        self.it_is_saved()
        self.serve_without_a_hold(data, group, spent, "heard")
        self.all_is_lost()
        self._all_beat()
        self.serve_without_a_hold(data, group, spent, "heard")
        self._fall_back(self.saved[-1])
