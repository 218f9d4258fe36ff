# A service by the accuracy suite's conventions (its README): Rack on puma's threads, Net::HTTP with
# kept-alive connections; parallel calls are made by a pool of threads.
require "net/http"
require "uri"

NAME = ENV["NODE_NAME"]
PARALLEL = ENV["NODE_MODE"] == "par"
JITTER = ENV["NODE_JITTER"] == "1"
WORK = ENV.fetch("NODE_WORK_MS", "0").to_f / 2000
ERRORS = ENV.fetch("NODE_ERR", "0").to_i
CALLS = ENV.fetch("NODE_CALLS", "").split.map { |call| call.split("=", 2) }
FORWARD = ENV.fetch("NODE_FWD", "").split
IDLE = Hash.new { |idle, url| idle[url] = Queue.new }
CALLS.each { |_, url| IDLE[url] }
JOBS = Queue.new

def now = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)

def work
  time = WORK * (JITTER ? 2 * rand : 1)
  sleep(time) if time.positive?
end

def connection(url)
  IDLE[url].pop(true)
rescue ThreadError
  uri = URI(url)
  http = Net::HTTP.new(uri.host, uri.port)
  http.keep_alive_timeout = 60
  http.start
end

def call(index, id, headers)
  name, url = CALLS[index]
  path = "/#{name}/#{id}.#{index}"
  begun = now
  begin
    http = connection(url)
    reply = http.get(path, headers)
    IDLE[url] << http
    status, body = reply.code, reply.body
  rescue SystemCallError, IOError, Net::OpenTimeout, Net::ReadTimeout
    status, body = 0, ""
  end
  ["C #{NAME} #{path} #{begun} #{now} #{status}\n", body]
end

if PARALLEL
  32.times do
    Thread.new { loop { JOBS.pop.call } }
  end
end

def together(id, headers)
  done = Queue.new
  CALLS.each_index { |index| JOBS << -> { done << [index, call(index, id, headers)] } }
  CALLS.map { done.pop }.sort_by(&:first).map(&:last)
end

run(lambda do |env|
  begun = now
  path = env["PATH_INFO"]
  id = path.split("/").last
  headers = FORWARD.to_h { |name| [name, env["HTTP_#{name.upcase.tr("-", "_")}"]] }.compact
  work
  calls = PARALLEL ? together(id, headers) : CALLS.each_index.map { |index| call(index, id, headers) }
  work
  hash = id.each_byte.reduce(0) { |sum, byte| (sum * 31 + byte) & 0x7fffffff }
  status = hash % 1000 < ERRORS ? 500 : 200
  own = calls.map(&:first).join + "S #{NAME} #{path} #{begun} #{now} #{status}\n"
  [status, { "Content-Type" => "text/plain" }, [own + calls.map(&:last).join]]
end)
