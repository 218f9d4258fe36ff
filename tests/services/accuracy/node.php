<?php
// A service by the accuracy suite's conventions (its README): PHP's own server with forked workers,
// and curl; parallel calls are made by one thread, with curl_multi.

$name = getenv("NODE_NAME");
$work = (float) (getenv("NODE_WORK_MS") ?: "0") * 500;
$jitter = getenv("NODE_JITTER") === "1";
$errors = (int) (getenv("NODE_ERR") ?: "0");

function words(string $variable): array
{
    return preg_split("/\s+/", getenv($variable) ?: "", -1, PREG_SPLIT_NO_EMPTY);
}

function now(): int
{
    return (int) (microtime(true) * 1e6);
}

function work(): void
{
    global $work, $jitter;
    $time = (int) ($work * ($jitter ? 2 * mt_rand() / mt_getrandmax() : 1));
    if ($time > 0) {
        usleep($time);
    }
}

/** One call, not made yet: [handle, path]. */
function prepare(int $index, string $id, array $headers): array
{
    [$callee, $url] = explode("=", words("NODE_CALLS")[$index], 2);
    $path = "/$callee/$id.$index";
    $handle = curl_init($url . $path);
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers]);
    return [$handle, $path];
}

/** What there is to say of one that was made: [line, body]. */
function told(array $call, int $begun, string $body): array
{
    global $name;
    [$handle, $path] = $call;
    $status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
    return ["C $name $path $begun " . now() . " $status\n", $body];
}

function one_by_one(array $calls): array
{
    return array_map(function ($call) {
        $begun = now();
        return told($call, $begun, curl_exec($call[0]) ?: "");
    }, $calls);
}

function together(array $calls): array
{
    $all = curl_multi_init();
    $begun = now();
    foreach ($calls as $call) {
        curl_multi_add_handle($all, $call[0]);
    }
    do {
        curl_multi_exec($all, $running);
        if ($running) {
            curl_multi_select($all, 1);
        }
    } while ($running);
    return array_map(fn($call) => told($call, $begun, curl_multi_getcontent($call[0]) ?? ""), $calls);
}

$begun = now();
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
$id = basename($path);
$headers = [];
foreach (words("NODE_FWD") as $header) {
    $value = $_SERVER["HTTP_" . strtoupper(strtr($header, "-", "_"))] ?? null;
    if ($value !== null) {
        $headers[] = "$header: $value";
    }
}
work();
$calls = [];
foreach (array_keys(words("NODE_CALLS")) as $index) {
    $calls[] = prepare($index, $id, $headers);
}
$done = getenv("NODE_MODE") === "par" ? together($calls) : one_by_one($calls);
work();
$hash = 0;
foreach (str_split($id) as $letter) {
    $hash = ($hash * 31 + ord($letter)) & 0x7fffffff;
}
$status = $hash % 1000 < $errors ? 500 : 200;
http_response_code($status);
header("Content-Type: text/plain");
echo implode(array_column($done, 0)), "S $name $path $begun ", now(), " $status\n", implode(array_column($done, 1));
