import io.tus.java.client.TusClient;
import io.tus.java.client.TusURLStore;
import io.tus.java.client.TusUpload;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/** Upload ENDPOINT FILE: uploads the file, or resumes an upload that urls.properties remembers. */
public class Upload {
    public static void main(String[] args) throws Exception {
        var file = new File(args[1]);
        var client = new TusClient();
        client.setUploadCreationURL(new URL(args[0]));
        client.enableResuming(new FileStore(Path.of("urls.properties")));
        var upload = new TusUpload(file);
        upload.setMetadata(Map.of("filename", file.getName()));
        var uploader = client.resumeOrCreateUpload(upload);
        while (uploader.uploadChunk() > -1) { }
        uploader.finish();
        System.out.println(uploader.getUploadURL());
    }

    /** The client has only a store in memory. */
    record FileStore(Path path) implements TusURLStore {
        @Override
        public URL get(String fingerprint) {
            try {
                var url = load().getProperty(fingerprint);
                return url == null ? null : new URL(url);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void set(String fingerprint, URL url) {
            var urls = load();
            urls.setProperty(fingerprint, url.toString());
            save(urls);
        }

        @Override
        public void remove(String fingerprint) {
            var urls = load();
            urls.remove(fingerprint);
            save(urls);
        }

        private Properties load() {
            var urls = new Properties();
            if (!Files.exists(path)) return urls;
            try (var reader = Files.newBufferedReader(path)) {
                urls.load(reader);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return urls;
        }

        private void save(Properties urls) {
            try (var writer = Files.newBufferedWriter(path)) {
                urls.store(writer, null);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
