"""upload.py ENDPOINT FILE: uploads the file in one request, or resumes an upload that urls.json remembers."""

import sys
from os.path import basename

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

endpoint, path = sys.argv[1:]
uploader = TusClient(endpoint).uploader(
    path,
    metadata={"filename": basename(path)},
    store_url=True,
    url_storage=FileStorage("urls.json"),
)
uploader.upload()
print(uploader.url)
