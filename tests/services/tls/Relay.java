import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The same as flask_service.py by the JDK's own server, client and TLS. PLAIN: it speaks HTTP itself,
 * and only its neighbour HTTPS. CLIENT: which of two clients asks, "blocking" (HttpURLConnection) or
 * java.net.http's, which keeps its connections.
 */
public final class Relay {
    private static SSLContext tls;
    private static HttpClient client;

    public static void main(String[] arguments) throws Exception {
        tls = context();
        client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1).build();
        InetSocketAddress address =
                new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
        HttpServer server;
        if (System.getenv("PLAIN") != null) {
            server = HttpServer.create(address, 64);
        } else {
            HttpsServer secure = HttpsServer.create(address, 64);
            secure.setHttpsConfigurator(new HttpsConfigurator(tls));
            server = secure;
        }
        server.createContext("/", Relay::serve);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
    }

    private static void serve(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        byte[] answer = path.getBytes(StandardCharsets.UTF_8);
        int status = 200;
        if (path.startsWith("/go/")) {
            try {
                answer = ask(path.replace("/go/", "/leaf/"));
            } catch (Exception error) {
                error.printStackTrace();
                status = 502;
            }
        }
        exchange.sendResponseHeaders(status, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    private static byte[] ask(String path) throws Exception {
        URI uri = URI.create(System.getenv("BEHIND") + path);
        if ("blocking".equals(System.getenv("CLIENT"))) {
            var connection = (javax.net.ssl.HttpsURLConnection) uri.toURL().openConnection();
            connection.setSSLSocketFactory(tls.getSocketFactory());
            try (InputStream in = connection.getInputStream()) {
                return in.readAllBytes();
            }
        }
        HttpRequest request = HttpRequest.newBuilder(uri).build();
        return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
    }

    private static SSLContext context() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        store.setCertificateEntry("authority", certificate("AUTHORITY"));
        String pem = Files.readString(Path.of(System.getenv("KEY")));
        byte[] key = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        store.setKeyEntry(
                "own",
                KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(key)),
                new char[0],
                new Certificate[] {certificate("CERTIFICATE")});
        TrustManagerFactory trusted =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store);
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static Certificate certificate(String variable) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(System.getenv(variable)))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}
