"""Containers by hand: what a manifest says a container is, without an orchestrator. As root alone."""

import json
import os
import subprocess
import sys
import tempfile

from harness.process import Process

# Of a container.
PATH = "/usr/local/bin:/usr/bin:/bin"

# Runs in mount and network namespaces of its own. $1: an empty folder for the container's root; then words for what is put
# there, up to `--`; then the program.
ENTER = r"""
set -eu
root=$1; shift
mount -t tmpfs -o mode=755 none "$root"
mkdir "$root/usr" "$root/etc" "$root/proc" "$root/dev" "$root/run" "$root/opt"
for name in bin sbin lib lib64; do [ ! -L /$name ] || cp -a /$name "$root/"; done
mount --rbind /usr "$root/usr"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind /opt "$root/opt"
mount -t tmpfs -o mode=1777 none "$root/dev/shm"
cp /etc/passwd /etc/ld.so.cache "$root/etc/"
cp "$HOSTS" "$root/etc/hosts"
[ ! -d /etc/ssl ] || { mkdir "$root/etc/ssl" && mount --bind /etc/ssl "$root/etc/ssl"; }
mount -t tmpfs -o mode=755 none "$root/usr/local/bin"
touch "$root/usr/local/bin/usher"
mount --bind "$BINARY" "$root/usr/local/bin/usher"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    case $1 in
    folder) mount --bind "$3" "$root$2"; mount -o "remount,bind,$4" "$root$2"; shift 4 ;;
    empty) mount -t tmpfs -o "mode=755,uid=$3,gid=$3" none "$root$2"; shift 3 ;;
    esac
done
shift
mount -o remount,ro "$root/usr/local/bin"
mount -o remount,ro "$root"
cd "$root"
exec chroot . setpriv --reuid="$USER_ID" --regid="$GROUP_ID" --clear-groups --inh-caps=-all --bounding-set=-all \
    --no-new-privs env -i PATH="$INNER_PATH" "$@"
"""


ASK = """
import json, sys
from harness.http_client import NO_BODY, request
port, method, path, body, headers = json.load(sys.stdin)
answer = request(port, method, path, body=NO_BODY if body is None else body, headers=headers)
print(json.dumps([answer.status, answer.body.decode()]))
"""


class Network:
    """A network with nothing but itself, in which names of services lead to this machine."""

    def __init__(self, folder, names):
        self.hosts = os.path.join(folder, "hosts")
        with open(self.hosts, "w") as file:
            file.write(f"127.0.0.1 localhost {' '.join(names)}\n")
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout.readline() == "up\n"

    def enter(self, *command):
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def request(self, port, method, path, body=None, headers=()):
        """(status, body) of an answer there."""
        question = json.dumps([port, method, path, body, dict(headers)])
        done = subprocess.run(self.enter(sys.executable, "-c", ASK), input=question, capture_output=True, text=True,
                              timeout=60, cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def end(self):
        self._holder.communicate()


class Container(Process):
    """A container of a rendered pod, with its user, environment, arguments and mounts, a root that is read-only, and no
    capability.

    - files: by the names of secrets and config maps, what is in them.
    - program: that of the image.
    """

    def __init__(self, folder, network, pod, binary, files, program=()):
        [container] = pod["containers"]
        context = pod["securityContext"]
        self._user = [f"--reuid={context['runAsUser']}", f"--regid={context['runAsGroup']}", "--clear-groups"]
        sources = {volume["name"]: self._source(folder, context["fsGroup"], files, **volume) for volume in pod["volumes"]}
        words = []
        for mount in container["volumeMounts"]:
            if source := sources.get(mount["name"]):
                words += ["folder", mount["mountPath"], source, "ro"]
            else:
                words += ["empty", mount["mountPath"], str(context["runAsUser"])]
        self._variables = {each["name"]: each["value"] for each in container["env"]}
        variables = [f"{name}={value}" for name, value in self._variables.items()]
        root = tempfile.mkdtemp(prefix="root-", dir=folder)
        environment = {"HOSTS": network.hosts, "BINARY": binary, "USER_ID": str(context["runAsUser"]),
                       "GROUP_ID": str(context["runAsGroup"]), "INNER_PATH": PATH}
        command = [*program, *container.get("command", []), *container.get("args", [])]
        super().__init__(container["name"], network.enter(
            "unshare", "--mount", "sh", "-c", ENTER, "enter", root, *words, "--", *variables, *command),
            environment, folder)

    def exec(self, *command):
        """What `kubectl exec` does: the process' end, with what it said."""
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--mount", "--net", "--root", "setpriv", *self._user, *command],
            env={"PATH": PATH, **self._variables}, capture_output=True, text=True, timeout=60)

    @staticmethod
    def _source(folder, group, files, name, secret=None, configMap=None, emptyDir=None):
        """A folder with what the volume holds, for the pod's group to read; None for an empty one."""
        if emptyDir is not None:
            return None
        content = files[secret["secretName"] if secret else configMap["name"]]
        if secret:
            content = {item["path"]: content[item["key"]] for item in secret["items"]}
        source = tempfile.mkdtemp(prefix=f"{name}-", dir=folder)
        os.chown(source, 0, group)
        os.chmod(source, 0o750)
        for file, text in content.items():
            path = os.path.join(source, file)
            with open(path, "w") as opened:
                opened.write(text)
            os.chown(path, 0, group)
            os.chmod(path, 0o440)
        return source
