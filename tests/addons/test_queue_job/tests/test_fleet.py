from odoo.tests import BaseCase

from odoo.addons.queue_job.jobrunner.fleet import Fleet
from odoo.addons.queue_job.jobrunner.slots import Slots
from odoo.addons.queue_job.storage.nodes import Node

OWN, OTHER = "http://localhost:8069", "http://web2:8069"


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
        self.assertEqual(self.slots.resize(OWN, 2), 2)
        self.assertEqual(self.slots.resize(OTHER, 2), 4)
        self.owner = Owner(OWN, OTHER)

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
        self.slots.resize(OWN, 1)
        self.slots.give_back(OWN)
        self.assertFalse(self.slots.has_room(Owner(OWN)))
        self.slots.give_back(OWN)
        self.assertTrue(self.slots.has_room(Owner(OWN)))

    def test_a_free_place_is_promised_to_who_waits_and_can_use_it(self):
        self.slots.take(self.owner)
        near, far = Owner(OWN), Owner(OTHER)
        self.slots.settle(near, (), more=True)
        self.slots.settle(far, (), more=True)
        self.slots.give_back(OTHER)
        self.assertEqual((near.woken, far.woken), (0, 1))
        self.assertFalse(self.slots.has_room(self.owner), "it is promised")
        self.assertEqual(self.slots.take(far), [OTHER])
