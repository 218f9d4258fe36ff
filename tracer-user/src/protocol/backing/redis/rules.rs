//! Which arguments of a command stand for values. The rules are those of OpenTelemetry's Java agent
//! (`RedisCommandSanitizer`), and in its spirit for commands that it does not know.

/// Which arguments are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// All of them.
    All,
    /// So many; the rest are values.
    First(u32),
    /// So many, then names that are kept in turns with their values.
    Pairs(u32),
    /// A script, how many keys there are, and those.
    Script,
    /// A stream's key, options, and an entry's identifier; then fields in turns with their values.
    Stream,
    /// All but places: a key and flags; then numbers and members, which are values.
    Places,
    /// All but bounds by value, which begin with a bracket.
    Range,
}

/// Commands all of whose arguments are kept.
#[rustfmt::skip]
const ALL: &[&str] = &[
    "ASKING", "BGREWRITEAOF", "BGSAVE", "BITCOUNT", "BITFIELD_RO", "BITOP", "BITPOS", "BLMOVE",
    "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "CLIENT", "CLUSTER",
    "CONFIG", "COPY", "DBSIZE", "DECR", "DECRBY", "DEL", "DISCARD", "DUMP", "ECHO", "EXEC",
    "EXISTS", "EXPIRE", "EXPIREAT", "EXPIRETIME", "FAILOVER", "FLUSHALL", "FLUSHDB", "GEODIST",
    "GEOHASH", "GEOPOS", "GEORADIUS", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO", "GEORADIUS_RO",
    "GEOSEARCH", "GEOSEARCHSTORE", "GET", "GETBIT", "GETDEL", "GETEX", "GETRANGE", "HDEL", "HELLO",
    "HEXISTS", "HEXPIRE", "HEXPIREAT", "HEXPIRETIME", "HGET", "HGETALL", "HGETDEL", "HGETEX",
    "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET", "HPERSIST", "HPEXPIRE", "HPEXPIREAT",
    "HPEXPIRETIME", "HPTTL", "HRANDFIELD", "HSCAN", "HSTRLEN", "HTTL", "HVALS", "INCR", "INCRBY",
    "INCRBYFLOAT", "INFO", "KEYS", "LASTSAVE", "LATENCY", "LCS", "LINDEX", "LLEN", "LMOVE", "LMPOP",
    "LOLWUT", "LPOP", "LRANGE", "LTRIM", "MEMORY", "MGET", "MONITOR", "MOVE", "MULTI", "OBJECT",
    "PERSIST", "PEXPIRE", "PEXPIREAT", "PEXPIRETIME", "PFCOUNT", "PFMERGE", "PING", "PSUBSCRIBE",
    "PSYNC", "PTTL", "PUBSUB", "PUNSUBSCRIBE", "QUIT", "RANDOMKEY", "READONLY", "READWRITE",
    "RENAME", "RENAMENX", "REPLCONF", "REPLICAOF", "RESET", "ROLE", "RPOP", "RPOPLPUSH", "SAVE",
    "SCAN", "SCARD", "SDIFF", "SDIFFSTORE", "SELECT", "SETBIT", "SHUTDOWN", "SINTER", "SINTERCARD",
    "SINTERSTORE", "SLAVEOF", "SLOWLOG", "SMEMBERS", "SORT", "SORT_RO", "SPOP", "SRANDMEMBER",
    "SSCAN", "SSUBSCRIBE", "STRALGO", "STRLEN", "SUBSCRIBE", "SUBSTR", "SUNION", "SUNIONSTORE",
    "SUNSUBSCRIBE", "SWAPDB", "SYNC", "TIME", "TOUCH", "TTL", "TYPE", "UNLINK", "UNSUBSCRIBE",
    "UNWATCH", "WAIT", "WAITAOF", "WATCH", "XACK", "XAUTOCLAIM", "XCLAIM", "XDEL", "XGROUP",
    "XINFO", "XLEN", "XPENDING", "XRANGE", "XREAD", "XREADGROUP", "XREVRANGE", "XSETID", "XTRIM",
    "ZCARD", "ZDIFF", "ZDIFFSTORE", "ZINTER", "ZINTERCARD", "ZINTERSTORE", "ZMPOP", "ZPOPMAX",
    "ZPOPMIN", "ZRANDMEMBER", "ZREMRANGEBYRANK", "ZSCAN", "ZUNION", "ZUNIONSTORE",
];

/// The others.
const SOME: &[(&str, Rule)] = &[
    ("ACL", Rule::First(2)),
    ("APPEND", Rule::First(1)),
    ("AUTH", Rule::First(0)),
    ("BITFIELD", Rule::First(2)),
    ("COMMAND", Rule::First(2)),
    ("DEBUG", Rule::First(2)),
    ("DELEX", Rule::First(1)),
    ("EVAL", Rule::Script),
    ("EVALSHA", Rule::Script),
    ("EVALSHA_RO", Rule::Script),
    ("EVAL_RO", Rule::Script),
    ("FCALL", Rule::Script),
    ("FCALL_RO", Rule::Script),
    ("FUNCTION", Rule::First(1)),
    ("GEOADD", Rule::Places),
    ("GETSET", Rule::First(1)),
    ("HMSET", Rule::Pairs(1)),
    ("HSET", Rule::Pairs(1)),
    ("HSETEX", Rule::First(1)),
    ("HSETNX", Rule::First(2)),
    ("JSON.SET", Rule::First(1)),
    ("LINSERT", Rule::First(2)),
    ("LPOS", Rule::First(1)),
    ("LPUSH", Rule::First(1)),
    ("LPUSHX", Rule::First(1)),
    ("LREM", Rule::First(1)),
    ("LSET", Rule::First(1)),
    ("MIGRATE", Rule::First(6)),
    ("MODULE", Rule::First(2)),
    ("MSET", Rule::Pairs(0)),
    ("MSETNX", Rule::Pairs(0)),
    ("PFADD", Rule::First(1)),
    ("PSETEX", Rule::First(2)),
    ("PUBLISH", Rule::First(1)),
    ("RESTORE", Rule::First(2)),
    ("RPUSH", Rule::First(1)),
    ("RPUSHX", Rule::First(1)),
    ("SADD", Rule::First(1)),
    ("SCRIPT", Rule::First(1)),
    ("SENTINEL", Rule::First(2)),
    ("SET", Rule::First(1)),
    ("SETEX", Rule::First(2)),
    ("SETNX", Rule::First(1)),
    ("SETRANGE", Rule::First(1)),
    ("SISMEMBER", Rule::First(1)),
    ("SMISMEMBER", Rule::First(1)),
    ("SMOVE", Rule::First(2)),
    ("SPUBLISH", Rule::First(1)),
    ("SREM", Rule::First(1)),
    ("TS.ADD", Rule::First(1)),
    ("XADD", Rule::Stream),
    ("ZADD", Rule::First(1)),
    ("ZCOUNT", Rule::First(1)),
    ("ZINCRBY", Rule::First(1)),
    ("ZLEXCOUNT", Rule::First(1)),
    ("ZMSCORE", Rule::First(1)),
    ("ZRANGE", Rule::Range),
    ("ZRANGEBYLEX", Rule::First(1)),
    ("ZRANGEBYSCORE", Rule::First(1)),
    ("ZRANGESTORE", Rule::Range),
    ("ZRANK", Rule::First(1)),
    ("ZREM", Rule::First(1)),
    ("ZREMRANGEBYLEX", Rule::First(1)),
    ("ZREMRANGEBYSCORE", Rule::First(1)),
    ("ZREVRANGE", Rule::Range),
    ("ZREVRANGEBYLEX", Rule::First(1)),
    ("ZREVRANGEBYSCORE", Rule::First(1)),
    ("ZREVRANK", Rule::First(1)),
    ("ZSCORE", Rule::First(1)),
];

/// What is known of a command by this name, which is in upper case.
pub(super) fn known(name: &str) -> Option<(&'static str, Rule)> {
    if let Ok(at) = ALL.binary_search(&name) {
        return ALL.get(at).map(|name| (*name, Rule::All));
    }
    let at = SOME.binary_search_by_key(&name, |(name, _)| name).ok()?;
    SOME.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::{ALL, Rule, SOME, known};

    #[test]
    fn the_lists_can_be_searched() {
        assert!(ALL.is_sorted() && SOME.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(known("GET"), Some(("GET", Rule::All)));
        assert_eq!(known("XADD"), Some(("XADD", Rule::Stream)));
        assert_eq!(known("NEWAUTH"), None);
    }
}
