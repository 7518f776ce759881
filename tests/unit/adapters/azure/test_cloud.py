import pytest

from nocturne.adapters.azure.cloud import Cloud, cloud_of

PUBLIC = Cloud("https://login.microsoftonline.com", "https://management.azure.com")


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, PUBLIC),
        ({"cloud_environment": ""}, PUBLIC),
        (
            {"cloud_environment": "AzureUSGovernment"},
            Cloud("https://login.microsoftonline.us", "https://management.usgovcloudapi.net"),
        ),
        ({"arm_url": "https://arm.test/"}, Cloud("https://login.microsoftonline.com", "https://arm.test")),
        ({"authority": "https://login.microsoftonline.com/"}, PUBLIC),
        ({"authority": "https://login.test/"}, Cloud("https://login.test", "https://management.azure.com", well_known=False)),
    ],
)
def test_a_connection_says_which_azure_it_is(extra: dict[str, str], expected: Cloud):
    """By the provider's name for it, or by addresses of its own; only Microsoft's own authorities can be looked up."""
    assert cloud_of(extra) == expected
