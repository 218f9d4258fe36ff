// Asks databases for each request, and another service like it where CALLS names one.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func count(db *sql.DB, statement string, arguments ...any) int {
	rows, err := db.Query(statement, arguments...)
	check(err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	check(rows.Err())
	return n
}

// Asks where it is to connect to, and does not.
var resolving = http.Client{Transport: &http.Transport{
	DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		check(err)
		found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
		check(err)
		return nil, fmt.Errorf("nobody is at %v", found)
	},
}}

func main() {
	port := os.Getenv("POSTGRES_PORT")
	postgres, err := sql.Open("pgx", fmt.Sprintf("postgres://shop@%s:%s/shop?sslmode=disable", os.Getenv("POSTGRES_HOST"), port))
	check(err)
	mysql, err := sql.Open("mysql", fmt.Sprintf("shop:hunter2@tcp(127.0.0.1:%s)/shop", os.Getenv("MYSQL_PORT")))
	check(err)
	cache := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + os.Getenv("REDIS_PORT")})
	for _, db := range []*sql.DB{postgres, mysql} {
		db.SetMaxIdleConns(16)
	}

	http.HandleFunc("/pgx/", func(w http.ResponseWriter, r *http.Request) {
		number := strings.TrimPrefix(r.URL.Path, "/pgx/")
		fmt.Fprint(w, count(postgres, "SELECT name, price AS t_pgx_"+number+" FROM items WHERE price > $1", 150))
	})
	http.HandleFunc("/gomysql/", func(w http.ResponseWriter, r *http.Request) {
		number := strings.TrimPrefix(r.URL.Path, "/gomysql/")
		fmt.Fprint(w, count(mysql, "SELECT name, price AS t_gomysql_"+number+" FROM items WHERE price > ?", 150))
	})
	http.HandleFunc("/goredis/", func(w http.ResponseWriter, r *http.Request) {
		key := "t_goredis_" + strings.TrimPrefix(r.URL.Path, "/goredis/")
		check(cache.Set(context.Background(), key, "hunter2", 0).Err())
		text, err := cache.Get(context.Background(), key).Result()
		check(err)
		fmt.Fprint(w, text)
	})
	http.HandleFunc("/lookup/", func(w http.ResponseWriter, r *http.Request) {
		name := "t-lookup-" + strings.TrimPrefix(r.URL.Path, "/lookup/") + ".tracer.test"
		number, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/lookup/"))
		check(err)
		switch number % 3 {
		case 0:
			found, err := net.DefaultResolver.LookupHost(r.Context(), name)
			check(err)
			fmt.Fprint(w, found)
		case 1:
			found, err := net.DefaultResolver.LookupIPAddr(r.Context(), name)
			check(err)
			fmt.Fprint(w, found)
		case 2:
			// As whoever dials does, but that nobody is there.
			_, err := resolving.Get("http://" + name)
			fmt.Fprint(w, err)
		}
	})
	// The scene: what is on its way, by whom; another service knows where it is.
	http.HandleFunc("/shipments/", func(w http.ResponseWriter, r *http.Request) {
		n := count(postgres, "SELECT name FROM items WHERE price > $1 ORDER BY name", 150)
		where, err := http.Get(os.Getenv("CALLS") + "/tracking/7")
		check(err)
		defer where.Body.Close()
		text, err := io.ReadAll(where.Body)
		check(err)
		fmt.Fprint(w, n, string(text))
	})
	http.HandleFunc("/tracking/", func(w http.ResponseWriter, r *http.Request) {
		n := count(postgres, "SELECT name FROM items WHERE name = 'hunter2' OR price = $1", 200)
		fmt.Fprint(w, n)
	})
	check(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
