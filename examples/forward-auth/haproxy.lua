-- Asks Latchkey whether a request may pass to the app.

local url = "http://127.0.0.1:8080/forward-auth"

-- Headers that Latchkey sends for the app.
local person = { "remote-user", "remote-id", "remote-email", "remote-name", "remote-groups" }

-- Headers that belong to one connection or to the body.
local own = {}
for _, name in ipairs({
    "connection", "keep-alive", "te", "transfer-encoding", "upgrade", "content-length", "content-type", "expect", "host", "accept-encoding",
}) do
    own[name] = true
end

-- The Cookie header without the portal's cookies.
local function without_tokens(cookies)
    local kept = {}
    for cookie in (cookies .. ";"):gmatch("([^;]*);") do
        local name = cookie:match("^%s*([^=]*)")
        if name ~= "__Secure-access" and name ~= "__Secure-refresh" then
            kept[#kept + 1] = cookie
        end
    end
    return (table.concat(kept, ";"):gsub("^%s+", ""))
end

-- The headers of the question: the client's, and those that describe the request.
local function question(txn, request)
    local headers = {}
    for name, values in pairs(request) do
        if not own[name] then
            headers[name] = {}
            for i = 0, #values do
                headers[name][i + 1] = values[i]
            end
        end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-proto"] = { "https" }
    headers["x-forwarded-host"] = { txn.sf:req_hdr("host") }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }
    headers["x-forwarded-for"] = { txn.sf:src() }
    return headers
end

-- Whether the portal has not answered. HAProxy then makes a response of its
-- own, without the Retry-After of the portal's.
local function silent(response)
    return not response.headers or response.status >= 502 and response.status <= 504 and not response.headers["retry-after"]
end

-- Sends the portal's response to the client, or 503 if there is none.
local function refuse(txn, response)
    if silent(response) or response.status < 300 then
        response = { status = 503, headers = { ["retry-after"] = { [0] = "5" }, ["cache-control"] = { [0] = "no-store" } } }
    end
    local reply = txn:reply({ status = response.status, reason = response.reason })
    for name, values in pairs(response.headers) do
        if not own[name] or name == "content-type" then
            for i = 0, #values do
                reply:add_header(name, values[i])
            end
        end
    end
    reply:set_body(response.body or "")
    txn:done(reply)
end

core.register_action("latchkey", { "http-req" }, function(txn)
    local request = txn.http:req_get_headers()
    local response = core.httpclient():get({ url = url, headers = question(txn, request), timeout = 10000 })
    if response.status ~= 200 or not response.headers["remote-user"] then
        return refuse(txn, response)
    end
    for _, name in ipairs(person) do
        local value = response.headers[name]
        if value and value[0] ~= "" then
            txn.http:req_set_header(name, value[0])
        end
    end
    txn.http:req_del_header("cookie")
    for i = 0, request.cookie and #request.cookie or -1 do
        local cookies = without_tokens(request.cookie[i])
        if cookies ~= "" then
            txn.http:req_add_header("cookie", cookies)
        end
    end
end)
