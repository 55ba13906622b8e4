"""A certificate by an authority of the tests' own."""

import os
import subprocess


class Certificates:
    """Files in `folder`: `authority`, whom clients are to trust, and `own`, the server's certificate and its key."""

    def __init__(self, folder, names="DNS:localhost"):
        folder = str(folder)

        def run(*words):
            subprocess.run(words, cwd=folder, check=True, capture_output=True)

        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days",
            "2", "-subj", "/CN=Tests")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj",
            "/CN=localhost")
        with open(os.path.join(folder, "names"), "w") as file:
            file.write(f"subjectAltName={names}\n")
        run("openssl", "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "cert.pem", "-days", "2", "-extfile", "names")
        self.authority = os.path.join(folder, "ca.pem")
        self.own = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
