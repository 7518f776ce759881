-- What wrk sends: `wrk ... --script post.lua URL -- BODY_FILE NAME VALUE ...` posts the file with these headers.
-- There is no request function, so that wrk makes the request once. The last line of its output is JSON.

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  for place = 2, #args, 2 do
    wrk.headers[args[place]] = args[place + 1]
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
