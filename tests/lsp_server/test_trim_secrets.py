"""The shapes of credentials. Every example is put together here: none may be found by who scans the files."""

import pytest

from engine.api import FinishReason
from lsp_server.trim import trim
from lsp_server.trimming.secret_shapes import SHAPES
from marked import hole

MIXED = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
EXAMPLES = {
    "AWS access key": ["AKIA", "QWERTYUIOPASDF12"],
    "GitHub token": ["ghp", "_", MIXED[:36]],
    "GitLab token": ["glpat", "-", MIXED[:20]],
    "Slack token": ["xoxb", "-", "123456789012-", MIXED[:12]],
    "Slack webhook": ["https://hooks.slack", ".com/services/T", "01234567/B", "01234567/", MIXED[:24]],
    "Google API key": ["AIza", MIXED[:35]],
    "Stripe key": ["sk", "_live_", MIXED[:24]],
    "OpenAI or Anthropic key": ["sk", "-", "proj-", MIXED[:30]],
    "npm token": ["npm", "_", MIXED[:36]],
    "PyPI token": ["pypi", "-AgEI", MIXED[:30]],
    "Hugging Face token": ["hf", "_", MIXED[:34]],
    "JSON web token": ["eyJ", MIXED[:20], ".eyJ", MIXED[:20], ".", MIXED[:20]],
    "private key": ["-----BEGIN RSA ", "PRIVATE KEY-----"],
}


def test_every_shape_has_an_example() -> None:
    assert EXAMPLES.keys() == SHAPES.keys()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_credential_is_not_offered(shape: str) -> None:
    secret = "".join(EXAMPLES[shape])

    trimmed = trim(f'"{secret}"', hole("value = |\n"), FinishReason.EOS)

    assert (trimmed.text, trimmed.reason) == ("", "looks like a secret")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rest_of_a_credential_that_was_begun_is_not_offered(shape: str) -> None:
    secret = "".join(EXAMPLES[shape])

    trimmed = trim(f'{secret[4:]}"', hole(f'value = "{secret[:4]}|\n'), FinishReason.EOS)

    assert (trimmed.text, trimmed.reason) == ("", "looks like a secret")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_credential_that_the_document_holds_is_no_news(shape: str) -> None:
    secret = "".join(EXAMPLES[shape])

    trimmed = trim(f'"{secret}"', hole(f'first = "{secret}"\nvalue = |\n'), FinishReason.EOS)

    assert trimmed.text == f'"{secret}"'


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn-compatible-estimator-interface",
        "AKIA_is_a_prefix_of_keys",
        "xoxo-and-other-greetings",
        "eyJust.eyAnother.word",
        "npm_config_registry_and_more_options",
        "hf_transformers_model_names_are_long",
        "-----BEGIN CERTIFICATE-----",
        "pypi-simple-index-and-friends",
    ],
)
def test_a_text_that_begins_like_a_credential_is_offered(text: str) -> None:
    assert trim(f'"{text}"', hole("value = |\n"), FinishReason.EOS).text == f'"{text}"'
