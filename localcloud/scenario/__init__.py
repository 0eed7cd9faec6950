"""The scenario: a company's golden images and VMs, from upstream release to policy."""
