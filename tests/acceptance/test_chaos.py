"""The short form of the fault campaign: a few rounds of a few faults, always the same."""

import pytest
from chaos.campaign import Campaign
from chaos.run import SEED, SHORT, clean


@pytest.fixture(scope="module")
def campaign(odoo, template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chaos")
    yield Campaign(odoo, template, folder, SEED)
    clean(folder)


@pytest.mark.parametrize("fault", SHORT)
def test_no_job_suffers(campaign, fault):
    [result] = campaign.run({fault: SHORT[fault]})
    assert len(result.outcomes) == SHORT[fault], result.skipped
    assert result.findings == []
    assert len(result.again) == SHORT[fault], "jobs ran again in every round"
