"""Keys and certificates for one run, made with openssl.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
from pathlib import Path


class Certificates:
    """Two authorities.  `ca` signed the server (for `localhost` only) and the client
    (CN=shipper); `other_ca` signed `stranger` and nothing else.  The client's key is there
    with a password too, alone and with its certificate in a PKCS#12 store."""

    PASSWORD = "of the key"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.ca, self.other_ca = self.authority("ca"), self.authority("other-ca")
        certificate, key = self.sign("server", "localhost", "ca",
                                     "-addext", "subjectAltName=DNS:localhost")
        self.server = self.folder / "server.pem"
        self.server.write_text(key.read_text() + certificate.read_text())
        self.client, self.client_key = self.sign("client", "shipper", "ca")
        self.client_locked_key = self.folder / "locked.key"
        self.openssl("pkey", "-in", "client.key", "-aes256", "-passout", f"pass:{self.PASSWORD}",
                     "-out", "locked.key")
        self.client_store = self.folder / "client.p12"
        self.openssl("pkcs12", "-export", "-in", "client.crt", "-inkey", "client.key",
                     "-passout", f"pass:{self.PASSWORD}", "-out", "client.p12")
        self.stranger, self.stranger_key = self.sign("stranger", "shipper", "other-ca")

    def authority(self, name):
        self.openssl("req", "-x509", *self.new_key(name), "-subj", f"/CN={name}", "-days", "30",
                     "-out", f"{name}.crt")
        return self.folder / f"{name}.crt"

    def sign(self, name, subject, authority, *extra):
        self.openssl("req", *self.new_key(name), "-subj", f"/CN={subject}", *extra,
                     "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt",
                     "-CAkey", f"{authority}.key", "-CAcreateserial", "-copy_extensions", "copy",
                     "-days", "30", "-out", f"{name}.crt")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    @staticmethod
    def new_key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key"]

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
