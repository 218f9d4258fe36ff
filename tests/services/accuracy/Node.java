import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A service by the accuracy suite's conventions (its README): the JDK's own server on a pool of
 * threads. NODE_CLIENT says how it calls others: "url" (HttpURLConnection) and "send" (HttpClient)
 * wait on the handler's thread, "async" (HttpClient.sendAsync) waits nowhere.
 */
public final class Node {
    private static final Map<String, String> ENV = System.getenv();
    private static final String NAME = ENV.get("NODE_NAME");
    private static final boolean PARALLEL = "par".equals(ENV.get("NODE_MODE"));
    private static final boolean JITTER = "1".equals(ENV.get("NODE_JITTER"));
    private static final double WORK_MS = Double.parseDouble(ENV.getOrDefault("NODE_WORK_MS", "0"));
    private static final int ERRORS = Integer.parseInt(ENV.getOrDefault("NODE_ERR", "0"));
    private static final String CLIENT = ENV.getOrDefault("NODE_CLIENT", "url");
    private static final String[] CALLS = words("NODE_CALLS");
    private static final String[] FORWARD = words("NODE_FWD");
    private static final ExecutorService HANDLERS = Executors.newFixedThreadPool(64);
    private static final ExecutorService CALLERS = Executors.newFixedThreadPool(64);
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private record Reply(int status, String body) {}

    private record Call(String line, String body) {}

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(ENV.get("NODE_PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 256);
        server.createContext("/", "async".equals(CLIENT) ? Node::serveAsync : Node::serve);
        server.setExecutor(HANDLERS);
        server.start();
    }

    private static void serve(HttpExchange exchange) throws IOException {
        long begun = now();
        pause();
        List<Call> calls = new ArrayList<>();
        if (PARALLEL) {
            List<CompletableFuture<Call>> open = new ArrayList<>();
            for (int i = 0; i < CALLS.length; i++) {
                int index = i;
                open.add(CompletableFuture.supplyAsync(() -> call(exchange, index), CALLERS));
            }
            open.forEach(call -> calls.add(call.join()));
        } else {
            for (int i = 0; i < CALLS.length; i++) {
                calls.add(call(exchange, i));
            }
        }
        pause();
        answer(exchange, begun, calls);
    }

    private static Call call(HttpExchange exchange, int index) {
        String path = path(exchange, index);
        long begun = now();
        Reply reply;
        try {
            reply = "send".equals(CLIENT) ? send(request(exchange, index)) : get(exchange, index);
        } catch (IOException | InterruptedException failed) {
            reply = new Reply(0, "");
        }
        return new Call(line('C', path, begun, reply.status), reply.body);
    }

    private static Reply send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body());
    }

    private static Reply get(HttpExchange exchange, int index) throws IOException {
        URI uri = request(exchange, index).uri();
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        forwarded(exchange).forEach(connection::setRequestProperty);
        int status = connection.getResponseCode();
        try (InputStream body =
                status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Reply(status, body == null ? "" : new String(body.readAllBytes()));
        }
    }

    private static void serveAsync(HttpExchange exchange) {
        long begun = now();
        CompletableFuture.completedFuture(new ArrayList<Call>())
                .thenComposeAsync(calls -> callAll(exchange, calls), later())
                .thenAcceptAsync(calls -> answer(exchange, begun, calls), later());
    }

    private static CompletableFuture<List<Call>> callAll(HttpExchange exchange, List<Call> calls) {
        if (PARALLEL) {
            List<CompletableFuture<Call>> open = new ArrayList<>();
            for (int i = 0; i < CALLS.length; i++) {
                open.add(callAsync(exchange, i));
            }
            return CompletableFuture.allOf(open.toArray(new CompletableFuture<?>[0]))
                    .thenApply(done -> open.stream().map(CompletableFuture::join).toList());
        }
        CompletableFuture<List<Call>> chain = CompletableFuture.completedFuture(calls);
        for (int i = 0; i < CALLS.length; i++) {
            int index = i;
            chain = chain.thenCompose(done -> callAsync(exchange, index).thenApply(call -> {
                done.add(call);
                return done;
            }));
        }
        return chain;
    }

    private static CompletableFuture<Call> callAsync(HttpExchange exchange, int index) {
        String path = path(exchange, index);
        long begun = now();
        return HTTP.sendAsync(request(exchange, index), HttpResponse.BodyHandlers.ofString())
                .handle((response, failed) -> failed == null
                        ? new Call(line('C', path, begun, response.statusCode()), response.body())
                        : new Call(line('C', path, begun, 0), ""));
    }

    private static void answer(HttpExchange exchange, long begun, List<Call> calls) {
        String path = exchange.getRequestURI().getPath();
        int hash = 0;
        for (byte b : path.substring(path.lastIndexOf('/') + 1).getBytes()) {
            hash = (hash * 31 + b) & 0x7fffffff;
        }
        int status = hash % 1000 < ERRORS ? 500 : 200;
        StringBuilder text = new StringBuilder();
        calls.forEach(call -> text.append(call.line));
        text.append(line('S', path, begun, status));
        calls.forEach(call -> text.append(call.body));
        byte[] body = text.toString().getBytes();
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException gone) {
            System.err.println(gone);
        }
    }

    private static HttpRequest request(HttpExchange exchange, int index) {
        String call = CALLS[index];
        String url = call.substring(call.indexOf('=') + 1) + path(exchange, index);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        forwarded(exchange).forEach(request::setHeader);
        return request.build();
    }

    private static Map<String, String> forwarded(HttpExchange exchange) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String name : FORWARD) {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                headers.put(name, value);
            }
        }
        return headers;
    }

    private static String path(HttpExchange exchange, int index) {
        String path = exchange.getRequestURI().getPath();
        String name = CALLS[index].substring(0, CALLS[index].indexOf('='));
        return "/" + name + path.substring(path.lastIndexOf('/')) + "." + index;
    }

    private static String line(char kind, String path, long begun, int status) {
        return "%c %s %s %d %d %d%n".formatted(kind, NAME, path, begun, now(), status);
    }

    private static long workMicros() {
        double share = JITTER ? 2 * ThreadLocalRandom.current().nextDouble() : 1;
        return (long) (WORK_MS / 2 * share * 1000);
    }

    private static void pause() {
        try {
            TimeUnit.MICROSECONDS.sleep(workMicros());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static Executor later() {
        long micros = workMicros();
        return micros == 0
                ? HANDLERS
                : CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS, HANDLERS);
    }

    private static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    private static String[] words(String variable) {
        String text = ENV.getOrDefault(variable, "").strip();
        return text.isEmpty() ? new String[0] : text.split("\\s+");
    }
}
