"""Certificates for tests, made with Debian's openssl: an authority and what it signs."""

import os
import ssl
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Authority:
    """Signs certificates into a folder."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.certificate = self.path(name + ".pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path(name + ".key"), "-out", self.certificate, "-days", "2",
                "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, file, common_name, names="DNS:localhost,IP:127.0.0.1"):
        """A certificate and its key; their paths."""
        request, certificate = self.path(file + ".csr"), self.path(file + ".pem")
        key, extensions = self.path(file + ".key"), self.path(file + ".ext")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", request, "-subj", f"/CN={common_name}")
        with open(extensions, "w") as text:
            text.write(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate,
                "-CAkey", self.path(self.name + ".key"), "-CAcreateserial", "-days", "2",
                "-out", certificate, "-extfile", extensions)
        return certificate, key

    def context(self, own=None, version=None):
        """What a client needs to trust this authority, and to show a certificate of its own."""
        context = ssl.create_default_context(cafile=self.certificate)
        if own:
            context.load_cert_chain(*own)
        if version:
            context.minimum_version = context.maximum_version = version
        return context
