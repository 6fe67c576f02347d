from unittest.mock import patch

from odoo.tests import BaseCase

from odoo.addons.queue_job.jobrunner import slots
from odoo.addons.queue_job.jobrunner.fleet import Fleet
from odoo.addons.queue_job.jobrunner.slots import Slots
from odoo.addons.queue_job.storage.nodes import Node

OWN, OTHER = "http://localhost:8069", "http://web2:8069"
FAR = "http://web3:8069"


def node(number, url=OTHER, slots=2, host="web2", standalone=False):
    return Node(number, host, url, slots, standalone)


class TestFleet(BaseCase):
    """What a leader knows of the servers."""

    def setUp(self):
        super().setUp()
        self.fleet = Fleet(OWN, 4)
        self.own = node(1, "http://10.0.0.1:8069", 4, "web1")

    def test_the_own_server_is_used_at_once_at_the_address_that_is_nearest(self):
        self.fleet.update([self.own], 1)
        self.assertEqual(self.fleet.usable(0), (OWN,))
        self.assertEqual(self.fleet.slots(), {OWN: 4})

    def test_another_server_is_used_when_it_has_answered_to_a_greeting(self):
        self.fleet.update([self.own, node(2)], 1)
        self.assertEqual(self.fleet.to_greet(0), [OTHER])
        self.assertEqual(self.fleet.to_greet(0), [], "the answer is waited for")
        self.assertEqual(self.fleet.usable(0), (OWN,))
        self.fleet.greeted(OTHER)
        self.assertEqual(self.fleet.usable(0), (OWN, OTHER))

    def test_a_server_that_failed_is_left_alone_longer_and_longer_then_greeted(self):
        self.fleet.update([self.own], 1)
        pauses = []
        for _failure in range(8):
            self.fleet.failed(OWN, 100)
            self.assertEqual(self.fleet.usable(100), ())
            self.assertEqual(self.fleet.to_greet(100), [])
            pauses.append(round(self.fleet.next_change(100) - 100, 6))
            self.assertEqual(self.fleet.to_greet(100.001 + pauses[-1]), [OWN])
            self.fleet.greeted(OWN)
        self.assertEqual(pauses[:3], [0.2, 0.4, 0.8])
        self.assertEqual(pauses[-1], 10)
        self.fleet.answered(OWN)
        self.fleet.failed(OWN, 100)
        self.assertEqual(round(self.fleet.next_change(100) - 100, 6), 0.2)

    def test_who_is_gone_is_told_and_forgotten(self):
        self.fleet.update([self.own, node(2)], 1)
        self.assertEqual(self.fleet.update([self.own], 1), {OTHER})
        self.assertEqual(self.fleet.slots(), {OWN: 4})

    def test_servers_behind_one_address_add_up_and_runners_beside_them_do_not(self):
        balanced = [node(2), node(3, host="web3"), node(4, standalone=True)]
        self.fleet.update([self.own, *balanced], 1)
        self.assertEqual(self.fleet.slots()[OTHER], 4)
        alone = [node(4, slots=3, standalone=True), node(5, slots=3, standalone=True)]
        self.fleet.update([self.own, *alone], 1)
        self.assertEqual(self.fleet.slots()[OTHER], 3)

    def test_the_loopback_address_of_another_machine_is_not_ours(self):
        self.fleet.update([self.own, node(2, "http://127.0.0.1:8069")], 1)
        self.assertEqual(self.fleet.slots(), {OWN: 4})
        self.fleet.update([self.own, node(2, "http://127.0.0.1:8070", host="web1")], 1)
        self.assertIn("http://127.0.0.1:8070", self.fleet.slots())


class Owner:
    def __init__(self, *servers):
        self.servers = servers
        self.woken = 0

    def wake(self):
        self.woken += 1


class TestSlots(BaseCase):
    """Places are counted by server, and had in turn."""

    def setUp(self):
        super().setUp()
        self.slots = Slots()
        self.owner = Owner(OWN, OTHER)
        self.assertEqual(self.slots.resize(self.owner, {OWN: 2, OTHER: 2}), 4)

    def test_places_are_taken_of_every_server(self):
        firsts = set()
        for _round in range(50):
            taken = self.slots.take(self.owner)
            self.assertEqual(sorted(taken), sorted([OWN, OWN, OTHER, OTHER]))
            self.assertFalse(self.slots.has_room(self.owner))
            self.slots.settle(self.owner, taken, more=False)
            firsts.add(taken[0])
        self.assertEqual(firsts, {OWN, OTHER})

    def test_an_owner_gets_places_of_its_servers_only(self):
        self.assertEqual(self.slots.take(Owner(OTHER)), [OTHER, OTHER])

    def test_a_server_that_gets_smaller_is_used_up_first(self):
        self.slots.take(self.owner)
        self.slots.resize(self.owner, {OWN: 1, OTHER: 2})
        self.slots.give_back(OWN)
        self.assertFalse(self.slots.has_room(Owner(OWN)))
        self.slots.give_back(OWN)
        self.assertTrue(self.slots.has_room(Owner(OWN)))

    def test_a_server_that_nobody_knows_has_no_places(self):
        self.slots.take(self.owner)
        self.assertEqual(self.slots.resize(Owner(OTHER), {OTHER: 2}), 4, "another knows it as well")
        self.slots.leave(self.owner)
        self.assertEqual(self.slots.resize(Owner(FAR), {FAR: 3}), 7, "and each that is out")
        self.slots.give_back(OWN)
        self.assertFalse(self.slots.has_room(Owner(OWN)))
        self.assertEqual(self.slots.resize(self.owner, {OWN: 2, OTHER: 2}), 7)
        self.assertEqual(self.slots.take(Owner(OWN)), [OWN], "one of its leases is still out")

    def test_places_that_nobody_can_use_are_not_promised(self):
        self.slots.take(self.owner)
        self.slots.resize(Owner(FAR), {FAR: 6})
        waiting = [Owner(OWN) for _number in range(3)]
        for owner in waiting:
            self.slots.settle(owner, (), more=True)
        self.slots.give_back(OWN)
        self.assertEqual([owner.woken for owner in waiting], [1, 0, 0])
        self.assertTrue(self.slots.has_room(waiting[0]))

    def test_who_is_late_is_promised_nothing_until_it_asks(self):
        self.slots.take(self.owner)
        stuck = Owner(OWN, OTHER)
        self.slots.settle(stuck, (), more=True)
        with patch.object(slots, "PROMISE_SECONDS", 0):
            self.slots.give_back(OWN)
        self.slots.give_back(OWN)
        self.assertTrue(self.slots.has_room(self.owner), "it need not wait again")
        self.assertEqual(stuck.woken, 2)
        self.slots.has_room(stuck)
        self.slots.give_back(OTHER)
        self.assertEqual(stuck.woken, 3)

    def test_what_was_promised_and_not_taken_is_promised_to_the_next(self):
        self.slots.take(self.owner)
        stuck, behind = Owner(OWN), Owner(OWN)
        self.slots.settle(stuck, (), more=True)
        self.slots.settle(behind, (), more=True)
        with patch.object(slots, "PROMISE_SECONDS", 0):
            self.slots.give_back(OWN)
        self.assertEqual((stuck.woken, behind.woken), (1, 0))
        self.slots.remind()
        self.assertEqual(behind.woken, 1)
        self.assertEqual(self.slots.take(behind), [OWN])

    def test_a_free_place_is_promised_to_who_waits_and_can_use_it(self):
        self.slots.take(self.owner)
        near, far = Owner(OWN), Owner(OTHER)
        self.slots.settle(near, (), more=True)
        self.slots.settle(far, (), more=True)
        self.slots.give_back(OTHER)
        self.assertEqual((near.woken, far.woken), (0, 1))
        self.assertFalse(self.slots.has_room(self.owner), "it is promised")
        self.assertEqual(self.slots.take(far), [OTHER])
