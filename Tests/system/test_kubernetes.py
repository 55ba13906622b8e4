"""`deploy/kubernetes`: that each overlay is what Kubernetes understands and what we hold to be safe, that its parts fit each
other, and that its containers run as it says."""

import json
import os
import re
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

from harness.kustomize import containers, render
from harness.node import BINARY, REPOSITORY
from harness.pod import Container, Network
from harness.up import run_usher
from harness.waiting import wait_for
from test_monitoring import faults, known  # noqa: F401 (a fixture)

DEPLOY = os.path.join(REPOSITORY, "deploy")
KUBERNETES = os.path.join(DEPLOY, "kubernetes")
OVERLAYS = ["single-redis", "external-redis", "three-zones"]
# The runners that stand beside one of those, in a namespace of their own.
ATTENDING = "attending"
# Kinds of others than Kubernetes, whose form is looked at below.
OF_OTHERS = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
# The oldest and the newest that the manifests are held against.
VERSIONS = ["1.27", "1.34"]


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request):
    return render(os.path.join(KUBERNETES, "overlays", request.param))


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def named(objects, kind, name):
    [found] = [one for one in of_kind(objects, kind) if one["metadata"]["name"] == name]
    return found


def pods(objects):
    """(name, pod's template) of all that makes pods."""
    return [(one["metadata"]["name"], one["spec"]["template"]) for one in objects if containers(one)]


def selects(selector, labels):
    return (selector.get("matchLabels", {}).items() <= labels.items()
            and all(each["operator"] == "In" and labels.get(each["key"]) in each["values"]
                    for each in selector.get("matchExpressions", [])))


def ports(pod):
    return {port["name"]: port["containerPort"] for container in pod["spec"]["containers"] for port in container["ports"]}


@pytest.fixture(scope="module")
def attending():
    return render(os.path.join(KUBERNETES, "overlays", ATTENDING))


@pytest.mark.parametrize("overlay", [*OVERLAYS, ATTENDING])
def test_it_is_what_kustomize_makes_of_it(overlay):
    """The objects that are looked at here are those that a cluster gets; where there is no kubectl, as far as known."""
    folder = os.path.join(KUBERNETES, "overlays", overlay)
    made = {(one["kind"], one["metadata"]["name"]): one for one in render(folder)}
    assert len(made) == len(render(folder))
    if shutil.which("kubectl"):
        done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)} == made


@pytest.mark.parametrize("version", VERSIONS)
def test_each_object_is_what_the_api_takes(objects, attending, version):
    for one in objects + attending:
        if one["kind"] not in OF_OTHERS:
            kubernetes_validate.validate(one, version, strict=True)


def test_what_is_made_of_other_files_is_fresh(tmp_path):
    copy = shutil.copytree(DEPLOY, tmp_path / "deploy")
    subprocess.run([copy / "kubernetes" / "embed"], check=True, timeout=300)
    for path in ("monitoring/alerts.yaml", "overlays/single-redis/start-redis.yaml"):
        assert (copy / "kubernetes" / path).read_text() == open(os.path.join(KUBERNETES, path)).read(), (
            "run deploy/kubernetes/embed")
    rules = yaml.safe_load((copy / "kubernetes/monitoring/alerts.yaml").read_text())
    assert rules["spec"] == yaml.safe_load((copy / "prometheus/alerts.yaml").read_text())
    script = yaml.safe_load((copy / "kubernetes/overlays/single-redis/start-redis.yaml").read_text())
    assert script["data"]["start-redis"] == (copy / "start-redis").read_text()


def test_every_pod_is_restricted(objects):
    for name, template in pods(objects):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        # A service's variables would be taken for settings.
        assert spec["enableServiceLinks"] is False, name
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] >= 100 <= context["fsGroup"], name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert not any("hostPath" in volume for volume in spec["volumes"]), name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}, name
            assert set(container["resources"]["limits"]) == {"cpu", "memory"} == set(container["resources"]["requests"])
            assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", container["image"]), f"{name}: {container['image']}"
            assert {"livenessProbe", "readinessProbe"} <= set(container), name
            assert not any("secret" in str(each.get("valueFrom")).lower() for each in container["env"]), name
            assert {mount["name"] for mount in container["volumeMounts"]} <= {
                volume["name"] for volume in spec["volumes"]} | {"data"}


def test_secrets_are_those_that_are_made(objects, tmp_path):
    """Each pod gets those that it needs, of the ones that deploy/new-env writes."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(os.path.join(DEPLOY, "new-env"), tmp_path / "deploy")
    subprocess.run([tmp_path / "deploy" / "new-env"], check=True, capture_output=True, timeout=300)
    made = set(os.listdir(tmp_path / "secrets"))
    used = {}
    for name, template in pods(objects):
        for volume in template["spec"]["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["secretName"] == "usher"
                used[name] = {item["key"] for item in volume["secret"]["items"]}
        read = {each["value"] for container in template["spec"]["containers"] for each in container["env"]
                if each["name"].endswith("_FILE")}
        assert read == {f"/run/secrets/usher/{key}" for key in used[name]}
    assert used["usher-node"] == {"redis-url", "admin-key"} and used["usher-runner"] == {"redis-url", "bot-redis-url"}
    assert set().union(*used.values()) <= made
    assert "redis" not in used or used["redis"] == {"redis-password", "bot-password", "operator-password"}


def test_the_image_is_of_this_version(objects, attending):
    _, version, _ = run_usher("--version")
    for container in sum((containers(one) for one in of_kind(objects + attending, "Deployment")), []):
        assert container["image"].rpartition(":")[2] == version.split()[1]


def test_services_lead_to_ports_that_are_there(objects):
    labels = {name: template["metadata"]["labels"] for name, template in pods(objects)}
    by_name = dict(pods(objects))
    for service in of_kind(objects, "Service"):
        [name] = [name for name in labels if selects({"matchLabels": service["spec"]["selector"]}, labels[name])]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports(by_name[name]), service["metadata"]["name"]
            # Without a proxy in between, a client comes to the container's own port.
            assert service["spec"].get("clusterIP") != "None" or port["port"] == ports(by_name[name])[port["targetPort"]]
    # What users reach is the public port alone.
    assert [port["targetPort"] for port in named(objects, "Service", "usher")["spec"]["ports"]] == ["public"]


def test_budgets_policies_and_scalers_are_of_pods_that_are_there(objects):
    labels = [template["metadata"]["labels"] for _, template in pods(objects)]
    for budget in of_kind(objects, "PodDisruptionBudget"):
        assert any(selects(budget["spec"]["selector"], each) for each in labels)
    allowed = {}
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        chosen = [template for _, template in pods(objects) if selects(spec["podSelector"], template["metadata"]["labels"])]
        # Administrators' pods are not of ours.
        assert chosen or spec["podSelector"] == {"matchLabels": {"usher-admin": "allowed"}}, policy["metadata"]["name"]
        for rule in spec.get("ingress", []):
            # Nobody is let in from anywhere, and only to ports that are there.
            assert rule["from"] and rule["ports"]
            for port in rule["ports"]:
                assert all(port["port"] in ports(template) for template in chosen)
                allowed.setdefault(port["port"], []).append(policy["metadata"]["name"])
    assert named(objects, "NetworkPolicy", "nothing-else")["spec"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {"public", "admin", "internal", "metrics"} <= set(allowed)
    assert_somebody_says_how_many(objects)


def assert_somebody_says_how_many(objects):
    """Of each deployment, and only one of those who may: else each `kubectl apply` would set the number back."""
    scaled = {scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"] for kind in ("HorizontalPodAutoscaler", "ScaledObject")
              for scaler in of_kind(objects, kind)}
    for deployment in of_kind(objects, "Deployment"):
        name = deployment["metadata"]["name"]
        if name in scaled:
            assert "replicas" not in deployment["spec"], name
            assert scaled[name].get("minReplicas", scaled[name].get("minReplicaCount")) >= 2, name
        else:
            # What is not said is one.
            assert deployment["spec"].get("replicas", 1) >= 2, name


def test_without_autoscalers_there_are_several_of_each(tmp_path):
    """As docs/operations.md says for a cluster without KEDA."""
    overlay = shutil.copytree(KUBERNETES, tmp_path / "kubernetes") / "overlays" / "three-zones"
    made = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    made["components"].remove("../../autoscaling")
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(made))
    objects = render(overlay)
    assert not of_kind(objects, "ScaledObject") and len(of_kind(objects, "Deployment")) == 2
    assert_somebody_says_how_many(objects)


def test_a_node_has_the_time_that_its_drain_takes(objects):
    template = named(objects, "Deployment", "usher-node")["spec"]["template"]["spec"]
    variables = {each["name"]: each["value"] for each in template["containers"][0]["env"]}
    drain_s = (int(variables["USHER_DRAIN_DELAY_MS"]) + int(variables["USHER_DRAIN_TIMEOUT_MS"])) / 1000
    assert template["terminationGracePeriodSeconds"] > drain_s
    # It is out of the services before it stops accepting.
    probe = template["containers"][0]["readinessProbe"]
    assert int(variables["USHER_DRAIN_DELAY_MS"]) / 1000 > probe["periodSeconds"] * probe["failureThreshold"]


def test_a_runner_has_the_time_that_its_meetings_take(objects):
    template = named(objects, "Deployment", "usher-runner")["spec"]["template"]
    variables = {each["name"]: each["value"] for each in template["spec"]["containers"][0]["env"]}
    assert variables["USHER_ON_STOP"] == "wait"
    _, settings, _ = run_usher("help", "settings", "--markdown")
    [longest] = re.findall(r"(?m)^\| `USHER_ATTEND_LONGEST_MS` .*? \| ms \| `(\d+)` ", settings)
    assert template["spec"]["terminationGracePeriodSeconds"] > int(longest) / 1000
    assert template["metadata"]["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_prometheus_finds_what_the_alerts_go_by():
    objects = render(os.path.join(KUBERNETES, "overlays", "three-zones"))
    monitor = named(objects, "ServiceMonitor", "usher")["spec"]
    found = [service for service in of_kind(objects, "Service")
             if selects(monitor["selector"], service["metadata"].get("labels", {}))]
    jobs = {service["metadata"]["labels"][monitor["jobLabel"]] for service in found}
    with open(os.path.join(DEPLOY, "prometheus", "prometheus.yaml"), encoding="utf-8") as file:
        assert jobs == {each["job_name"] for each in yaml.safe_load(file)["scrape_configs"]} == {
            "usher-node", "usher-runner"}
    [endpoint] = monitor["endpoints"]
    assert all(endpoint["port"] in [port["name"] for port in service["spec"]["ports"]] for service in found)


def test_runners_grow_by_metrics_that_are_there(known):  # noqa: F811
    objects = render(os.path.join(KUBERNETES, "overlays", "three-zones"))
    [trigger] = named(objects, "ScaledObject", "usher-runner")["spec"]["triggers"]
    assert faults(trigger["metadata"]["query"], known) == []
    # KEDA would take "no data" for "no bots", and have all runners but two stop.
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    [container] = containers(named(objects, "Deployment", "usher-runner"))
    [capacity] = [each["value"] for each in container["env"] if each["name"] == "USHER_CAPACITY"]
    assert 0.5 * int(capacity) < int(trigger["metadata"]["threshold"]) < int(capacity)


def test_attending_runners_differ_from_others_by_what_browsers_need(attending):
    base = render(os.path.join(KUBERNETES, "base"))
    mine, others = (containers(named(made, "Deployment", "usher-runner"))[0] for made in (attending, base))
    assert mine["image"].rpartition(":")[0].endswith("usher-attend")
    given = {each["name"]: each["value"] for each in mine["env"]}
    changed = {"USHER_API_URL", "USHER_LAUNCH", "USHER_CAPACITY"}
    assert {each["name"]: each["value"] for each in others["env"] if each["name"] not in changed} == {
        name: value for name, value in given.items() if name not in changed}
    assert given["USHER_LAUNCH"] == "usher attend"
    # docs/operations.md: 400 MB for each bot, and 500 MB.
    assert mine["resources"]["limits"]["memory"] == "3Gi" and int(given["USHER_CAPACITY"]) * 400 + 500 < 3 << 10
    for name in ("securityContext", "livenessProbe", "readinessProbe", "volumeMounts", "ports", "args"):
        assert mine[name] == others[name]
    # What the level `restricted` refuses is the filter of system calls alone.
    pods_own = named(attending, "Deployment", "usher-runner")["spec"]["template"]["spec"]["securityContext"]
    assert pods_own.pop("seccompProfile") == {"type": "Unconfined"} and pods_own["runAsNonRoot"] is True
    [namespace] = of_kind(attending, "Namespace")
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "privileged"}
    assert_somebody_says_how_many(attending)


def lets(objects, direction, pod, port, other):
    """Whether a policy of a namespace has its pod and another, in another namespace, talk by this port."""
    (labels, namespace), peers = other, {"ingress": "from", "egress": "to"}[direction]
    return any(
        selects(policy["spec"]["podSelector"], pod) and {"port": port} in rule["ports"]
        and any("namespaceSelector" in peer and "podSelector" in peer
                and selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
                and selects(peer["podSelector"], labels) for peer in rule[peers])
        for policy in of_kind(objects, "NetworkPolicy") for rule in policy["spec"].get(direction, []) if "ports" in rule)


def test_attending_runners_come_to_nodes_and_to_redis(attending):
    beside = render(os.path.join(KUBERNETES, "overlays", "single-redis"))
    [(_, runner)] = pods(attending)
    mine = runner["metadata"]["labels"]
    spaces = {each["metadata"]["namespace"] for each in attending if each["kind"] != "Namespace"}
    assert spaces == {of_kind(attending, "Namespace")[0]["metadata"]["name"]}
    [space] = spaces
    for name, port in (("usher-node", "internal"), ("redis", "redis")):
        template = dict(pods(beside))[name]
        assert port in ports(template)
        assert lets(attending, "egress", mine, port, (template["metadata"]["labels"], "usher"))
        assert lets(beside, "ingress", template["metadata"]["labels"], port, (mine, space))
    # By a name that is one in their namespace too.
    [url] = [each["value"] for each in runner["spec"]["containers"][0]["env"] if each["name"] == "USHER_API_URL"]
    service = named(beside, "Service", "usher-internal")["spec"]["ports"][0]
    assert url == f"http://usher-internal.usher:{service['port']}"
    monitor = named(render(os.path.join(KUBERNETES, "overlays", "three-zones")), "ServiceMonitor", "usher")["spec"]
    assert monitor["namespaceSelector"] == {"matchNames": ["usher", space]}
    [service] = of_kind(attending, "Service")
    assert selects(monitor["selector"], service["metadata"]["labels"]) and selects(
        {"matchLabels": service["spec"]["selector"]}, mine)


class Cluster:
    """The pods of the overlay with a Redis of its own, by hand: one of each."""

    def __init__(self, folder):
        self.objects = render(os.path.join(KUBERNETES, "overlays", "single-redis"))
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, "deploy"))
        shutil.copy(os.path.join(DEPLOY, "new-env"), os.path.join(folder, "deploy"))
        subprocess.run([os.path.join(folder, "deploy", "new-env")], check=True, capture_output=True, timeout=300)
        files = {"usher": {}}
        for name in os.listdir(os.path.join(folder, "secrets")):
            with open(os.path.join(folder, "secrets", name)) as file:
                files["usher"][name] = file.read()
        files["start-redis"] = named(self.objects, "ConfigMap", "start-redis")["data"]
        self.network = Network(folder, [service["metadata"]["name"] for service in of_kind(self.objects, "Service")])
        self.pods = []
        for kind, name, program in (("StatefulSet", "redis", ()), ("Deployment", "usher-node", ("usher",)),
                                    ("Deployment", "usher-runner", ("usher",))):
            pod = named(self.objects, kind, name)["spec"]["template"]["spec"]
            container = Container(folder, self.network, pod, BINARY, files, program)
            container.spawn()
            self.pods.append((container, pod["containers"][0]))

    def passes(self, probe):
        """Whether every container passes this probe of its, as a kubelet asks."""
        return all(self._passes(container, made[probe], made["ports"]) for container, made in self.pods)

    def _passes(self, container, probe, declared):
        assert container.alive, container.log
        numbers = {port["name"]: str(port["containerPort"]) for port in declared}
        if "httpGet" in probe:
            return self.run(BINARY, "probe", probe["httpGet"]["path"], "--port", numbers[probe["httpGet"]["port"]]) == 0
        if "tcpSocket" in probe:
            return self.run("bash", "-c", f": </dev/tcp/127.0.0.1/{numbers[probe['tcpSocket']['port']]}") == 0
        return container.exec(*probe["exec"]["command"]).returncode == 0

    def run(self, *command):
        return subprocess.run(self.network.enter(*command), capture_output=True, timeout=300).returncode

    def usher(self, *command):
        """What is said by `kubectl exec` into the node."""
        [node] = [container for container, made in self.pods if made["name"] == "node"]
        done = node.exec("usher", *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self):
        for container, _ in self.pods:
            container.end()
        self.network.end()


@pytest.fixture
def cluster(servers):
    started = Cluster(servers.folder)
    yield started
    started.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")
def test_its_containers_run_as_it_says(cluster):
    """With the users, arguments, variables, files and probes of the manifests, on a root that is read-only."""
    wait_for(lambda: cluster.passes("livenessProbe") and cluster.passes("readinessProbe"), "the probes' being passed")
    assert all(container.exec("touch", "/usr/local/bin/x").returncode for container, _ in cluster.pods)
    options = ["--log-level", "error"]
    user = json.loads(cluster.usher("admin", "create-user", "--email", "ana@example.com", *options))
    user = user.get("user", user)
    key = json.loads(cluster.usher(
        "admin", "create-key", "--workspace-id", user["workspace_id"], "--user-id", str(user["id"]), "--scopes", "bots",
        *options))["key"]

    def ask(method, path, body=None):
        return cluster.network.request(8080, method, path, body, {"X-API-Key": key})

    status, answer = ask("POST", "/bots", {"platform": "google_meet", "native_meeting_id": "abc-defg-hij"})
    assert status == 201, answer
    wait_for(lambda: '"status":"active"' in ask("GET", "/meetings")[1], "a bot in its room")
    assert [ask("GET", path)[0] for path in ("/admin/users", "/internal/bots/x/status", "/metrics")] == [404] * 3
