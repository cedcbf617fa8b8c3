"""Images `FROM scratch`, made here: nothing is pulled from outside."""

import hashlib
import io
import json
import tarfile

from .namespace import WORK

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def build_context(name, base="scratch"):
    """A directory with a Dockerfile and one file that no other image has."""
    directory = WORK / "images" / name
    directory.mkdir(parents=True)
    (directory / "Dockerfile").write_text(f"FROM {base}\nCOPY hello /hello-{name}\n")
    (directory / "hello").write_text(f"hello from {name}\n")
    return directory


def oci_layout(name, tag):
    """The image as an OCI image layout in a directory."""
    directory = WORK / "images" / name
    (directory / "blobs/sha256").mkdir(parents=True)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        contents = f"hello from {name}\n".encode()
        entry = tarfile.TarInfo(f"hello-{name}")
        entry.size = len(contents)
        archive.addfile(entry, io.BytesIO(contents))
    layer_blob = blob(directory, LAYER, layer.getvalue())
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer_blob["digest"]]}, "config": {}}
    config_blob = blob(directory, CONFIG, json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config_blob, "layers": [layer_blob]}
    manifest_blob = blob(directory, MANIFEST, json.dumps(manifest).encode())
    manifest_blob["annotations"] = {"org.opencontainers.image.ref.name": tag}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest_blob]}
    (directory / "index.json").write_text(json.dumps(index))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return directory


def blob(directory, media_type, contents):
    digest = hashlib.sha256(contents).hexdigest()
    (directory / "blobs/sha256" / digest).write_bytes(contents)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(contents)}


def oci_archive(name, tag):
    """The same as one file."""
    directory = oci_layout(name, tag)
    archive = directory.with_suffix(".tar")
    with tarfile.open(archive, "w") as tar:
        for part in ("oci-layout", "index.json", "blobs"):
            tar.add(directory / part, part)
    return archive


def layout_image_id(directory):
    """The configuration's digest: it names the layers as they are unpacked, and outlives a client's compressing them."""
    manifest = json.loads((directory / "index.json").read_text())["manifests"][0]["digest"]
    return json.loads((directory / "blobs" / manifest.replace(":", "/")).read_text())["config"]["digest"]
