import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * What plan.py says, by the JDK's own server and client: "sequential" and "parallel" wait nowhere,
 * "blocking" waits on the thread that answers, "pool" there for threads that wait.
 */
public final class Futures {
    private static final ExecutorService HANDLERS = Executors.newFixedThreadPool(16);
    private static final ExecutorService CALLERS = Executors.newFixedThreadPool(16);
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 64);
        server.createContext("/", Futures::serve);
        server.setExecutor(HANDLERS);
        server.start();
    }

    private static void serve(HttpExchange exchange) {
        String[] words = exchange.getRequestURI().getPath().split("/");
        CompletableFuture<?> worked = CompletableFuture.runAsync(() -> {}, later());
        if (words[1].equals("blocking")) {
            worked.join();
            get(words[2], 0).join();
            get(words[2], 1).join();
            answer(exchange);
            return;
        }
        if (words[1].equals("pool")) {
            Future<?> one = CALLERS.submit(() -> get(words[2], 0).join());
            Future<?> other = CALLERS.submit(() -> get(words[2], 1).join());
            wait(one);
            wait(other);
            answer(exchange);
            return;
        }
        worked.thenComposeAsync(done -> calls(words[1], words[2]), HANDLERS)
                .thenRunAsync(() -> answer(exchange), later());
    }

    private static CompletableFuture<?> calls(String mode, String name) {
        return switch (mode) {
            case "sequential" -> get(name, 0).thenCompose(done -> get(name, 1));
            case "parallel" -> CompletableFuture.allOf(get(name, 0), get(name, 1));
            default -> CompletableFuture.completedFuture(null);
        };
    }

    private static CompletableFuture<?> get(String name, int number) {
        String url = "http://" + System.getenv("CALLS") + "/leaf/" + name + "." + number;
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString());
    }

    private static void wait(Future<?> task) {
        try {
            task.get();
        } catch (InterruptedException | ExecutionException failed) {
            System.err.println(failed);
        }
    }

    private static void answer(HttpExchange exchange) {
        try (exchange) {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes());
        } catch (IOException gone) {
            System.err.println(gone);
        }
    }

    private static Executor later() {
        long micros = ThreadLocalRandom.current().nextLong(4000);
        return CompletableFuture.delayedExecutor(micros, TimeUnit.MICROSECONDS, HANDLERS);
    }
}
