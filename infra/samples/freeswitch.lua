-- Asks Rollcall, by `rollcall edge` on this machine, before a call passes: may this user dial from this number?
--
-- NOT RUN by Rollcall's tests, which run kamailio.cfg. For FreeSWITCH with mod_lua and mod_curl; FusionPBX runs on it, too. In the dialplan, before the bridge:
--   <action application="lua" data="freeswitch.lua"/>
--
-- Whom the call is from is the user that has registered (user_name), and never the caller ID that it sends. The call passes for the one word "allowed", and for
-- nothing else.

local who = session:getVariable("user_name") or ""
local number = session:getVariable("effective_caller_id_number") or session:getVariable("caller_id_number") or ""

local function escaped(text)
  return (text:gsub("[^%w%-%._~]", function(char) return string.format("%%%02X", char:byte()) end))
end

local digits = number:match("^%+?([1-9]%d+)$") or ""
local said = ""
if #digits >= 7 and #digits <= 15 and who ~= "" then
  local address = "http://127.0.0.1:8790/v1/extensions/" .. escaped(who) .. "/caller-ids/%2B" .. digits .. "?trunk=out"
  said = freeswitch.API():execute("curl", address .. " timeout 1")
  said = (said or ""):gsub("%s+$", "")
end

if said == "allowed" then
  session:setVariable("effective_caller_id_number", "+" .. digits)
  session:setVariable("sip_cid_type", "pid")
else
  freeswitch.consoleLog("notice", "Rollcall: " .. said .. "\n")
  session:hangup("CALL_REJECTED")
end
