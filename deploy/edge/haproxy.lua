-- The check of Countersign's edge for HAProxy 2.5 and later. haproxy.cfg loads this file and calls
--   http-request lua.countersign-check mint/orders
-- It sends the head of the request to the edge, sets the identity headers, and ends the request unless the edge allows it.
--
-- HAProxy continues with the next rule after an error or a timeout of an action. So the action only ever sets
-- txn.countersign to "allowed", as its last step, and the rule after it must reject every other request.

-- Read when this file is loaded, before HAProxy changes its root folder and its user.
local address = assert(os.getenv("COUNTERSIGN_EDGE"), "haproxy.lua: set COUNTERSIGN_EDGE with setenv in the section global")

-- Milliseconds. HAProxy 2.6 sends a check up to four times, so it takes at most four times as long.
local timeout = 1000

-- What the edge reads. haproxy.cfg sets all but the last, which is the client's own.
local read_by_the_edge = {
  "x-ssl-client-cert",
  "x-ssl-client-verify",
  "x-ssl-client-chain",
  "x-countersign-proxy-secret",
  "x-request-id",
  "x-forwarded-for",
  "authorization",
}

-- What the API receives. The client's own copies are removed even if the response lacks one.
local set_by_the_edge = {
  "authorization",
  "x-countersign-client-id",
  "x-countersign-subject",
  "x-countersign-scope",
  "x-countersign-audience",
  "x-countersign-expires",
}

-- The statuses of a denied check. HAProxy itself responds with 503 if the edge does not, but without X-Countersign-Error.
local denied = { [401] = true, [403] = true, [503] = true }

-- What the client receives when its request is denied.
local returned_to_the_client = { "www-authenticate", "x-countersign-error", "retry-after" }

-- HAProxy numbers the values of a header from 0.
local function values(headers, name)
  local list = {}
  local from = headers[name] or {}
  for index = 0, #from do
    if from[index] then list[#list + 1] = from[index] end
  end
  return list
end

local function ask(txn, route)
  local received = txn.http:req_get_headers()
  local headers = { host = { "countersign" } }
  for _, name in ipairs(read_by_the_edge) do
    -- HAProxy 2.6 crashes if the request of its HTTP client has more headers than tune.http.maxhdr. Two values suffice: the
    -- edge denies a request with a repeated header.
    local first, second = table.unpack(values(received, name))
    if first then headers[name] = { first, second } end
  end
  local request = { url = "http://countersign/edge/" .. route, headers = headers, dst = address, timeout = timeout }
  return core.httpclient():get(request)
end

local function allow(txn, response)
  txn.http:req_del_header("x-countersign-proxy-secret")
  for _, name in ipairs(set_by_the_edge) do
    txn.http:req_del_header(name)
    local list = values(response.headers, name)
    assert(#list <= 1, name .. ": repeated in the response of the edge")
    if #list == 1 then txn.http:req_set_header(name, list[1]) end
  end
  txn:set_var("txn.countersign", "allowed")
end

local function rejection(txn, response)
  local headers = {}
  for _, name in ipairs(returned_to_the_client) do
    local list = values(response.headers, name)
    if #list > 0 then headers[name] = list end
  end
  return txn:reply({ status = response.status, headers = headers })
end

local function check(txn, route)
  local sent, response = pcall(ask, txn, route)
  if not sent then
    core.log(core.err, "countersign: the check failed: " .. tostring(response))
  elseif response.status == 200 then
    allow(txn, response)
  elseif denied[response.status] and response.headers["x-countersign-error"] then
    txn:done(rejection(txn, response))
  end
  -- Any other status, and a server that does not respond: the rule after this action responds with 503.
end

core.register_action("countersign-check", { "http-req" }, check, 1)
