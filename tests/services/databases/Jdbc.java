import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;

/** The same by JDBC: each request on a thread of a pool, with a connection of another pool. */
public final class Jdbc {
    private static final int SIZE = 8;

    private final String mode;
    private final BlockingQueue<Connection> idle = new ArrayBlockingQueue<>(SIZE);

    private Jdbc(String mode, String url) throws SQLException {
        this.mode = mode;
        for (int i = 0; i < SIZE; i++) {
            idle.add(DriverManager.getConnection(url));
        }
    }

    public static void main(String[] arguments) throws Exception {
        var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
        String postgres = "jdbc:postgresql://" + System.getenv("POSTGRES_HOST") + ":"
                + System.getenv("POSTGRES_PORT") + "/shop?user=shop";
        String maria = "jdbc:mariadb://127.0.0.1:" + System.getenv("MYSQL_PORT")
                + "/shop?user=shop&password=hunter2";
        HttpServer server = HttpServer.create(address, 64);
        for (var jdbc : new Jdbc[] {
            new Jdbc("pgjdbc", postgres),
            new Jdbc("mariadb", maria),
            new Jdbc("mariadb_prepared", maria + "&useServerPrepStmts=true"),
        }) {
            server.createContext("/" + jdbc.mode + "/", jdbc::serve);
        }
        server.setExecutor(Executors.newFixedThreadPool(2 * SIZE));
        server.start();
    }

    private void serve(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        byte[] answer;
        int status = 200;
        try {
            answer = rows(path.substring(path.lastIndexOf('/') + 1)).getBytes(StandardCharsets.UTF_8);
        } catch (SQLException | InterruptedException error) {
            error.printStackTrace();
            answer = new byte[0];
            status = 500;
        }
        exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    private String rows(String number) throws SQLException, InterruptedException {
        Connection connection = idle.take();
        String sql = "SELECT name, price AS t_" + mode + "_" + number
                + " FROM items WHERE price > ? AND name <> 'hunter2'";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, 150);
            try (ResultSet found = statement.executeQuery()) {
                int rows = 0;
                while (found.next()) {
                    rows++;
                }
                return String.valueOf(rows);
            }
        } finally {
            idle.put(connection);
        }
    }
}
