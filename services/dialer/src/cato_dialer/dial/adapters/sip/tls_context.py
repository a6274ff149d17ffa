"""Make the TLS context of a station from its files."""

import ssl

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.domain.station import TlsFiles


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises: ConfigurationError: if a file cannot be read."""
    try:
        context = ssl.create_default_context(cafile=files.authorities)
        if files.authorities is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"a certificate or key of a station cannot be read: {error}") from error
    return context
