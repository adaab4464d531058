// upload ENDPOINT FILE: uploads the file, or resumes the upload whose location is in location.txt.
package main

import (
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/bdragon300/tusgo"
)

const stored = "location.txt"

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	endpoint, err := url.Parse(os.Args[1])
	check(err)
	client := tusgo.NewClient(http.DefaultClient, endpoint)
	_, err = client.UpdateCapabilities()
	check(err)
	file, err := os.Open(os.Args[2])
	check(err)
	info, err := file.Stat()
	check(err)

	upload := tusgo.Upload{}
	location, err := os.ReadFile(stored)
	if os.IsNotExist(err) {
		metadata := map[string]string{"filename": filepath.Base(os.Args[2])}
		_, err = client.CreateUpload(&upload, info.Size(), false, metadata)
		check(err)
		check(os.WriteFile(stored, []byte(upload.Location), 0o600))
	} else {
		check(err)
		_, err = client.GetUpload(&upload, string(location))
		check(err)
	}

	stream := tusgo.NewUploadStream(client, &upload)
	_, err = stream.Sync()
	check(err)
	_, err = file.Seek(stream.Tell(), io.SeekStart)
	check(err)
	_, err = io.Copy(stream, file)
	check(err)
}
