"""An installation of the old scripts, written anew from what is known of them: keys, names of contexts and
variables, the order of their steps. Used by the tests of this folder and by the live one.
"""

from __future__ import annotations

WEBHOOK = "https://example.bitrix24.ru/rest/7/w3bh00ks3cr3t/"
TOKEN = "t0k3n0fth30utg01ngw3bh00k"  # noqa: S105  made up
PASSWORD = "am1p4ssw0rd"  # noqa: S105  made up
SECRETS = ("w3bh00ks3cr3t", TOKEN, PASSWORD)


def config_php(
    *,
    webhook: str = WEBHOOK,
    token: str = TOKEN,
    host: str = "127.0.0.1",
    port: int = 5038,
    username: str = "callme",
    password: str = PASSWORD,
    lines: tuple[str, ...] = ("74950000001", "s"),
    more: str = "",
) -> str:
    """The configuration as CallMePlus ships it."""
    numbers = ", ".join(f"'{line}'" for line in lines)
    return f"""<?php
return array(
    'CallMeDEBUG' => 1, // 1: write the log
    'LogPath' => '/var/log/callmeplus-php.log',
    'tech' => 'PJSIP',
    'authToken' => '{token}', # of the outgoing webhook
    'bitrixApiUrl' => '{webhook}',
    'extentions' => array({numbers}), /* the numbers outside,
                                         one by one */
    'context' => 'from-internal',
    'asterisk' => array(
        'host' => '{host}',
        'scheme' => 'tcp://',
        'port' => {port},
        'username' => '{username}',
        'secret' => '{password}',
        'connect_timeout' => 10000,
        'read_timeout' => 10000,
    ),
    'listener_timeout' => 300,
{more}
);
"""


def dialplan(records: str = "/var/www/html/callme/records", url: str = "http://127.0.0.1/callmeplus/") -> str:
    """The article's extensions_custom.conf: the recording, the hook of incoming calls, the one of outgoing
    calls with its report to `CallMeOut.php`."""
    return f"""[globals]
; who writes there must own it
WAV={records}/wav
MP3={records}/mp3
URLRECORDS=https://pbx.example.com/callmeplus/records/mp3
URLPHP={url}
RECORDING=1

[recording]
exten => ~~s~~,1,Set(LOCAL(calling)=${{ARG1}})
exten => ~~s~~,2,Set(LOCAL(called)=${{ARG2}})
exten => ~~s~~,3,GotoIf($["${{RECORDING}}" = "1"]?4:14)
exten => ~~s~~,4,Set(fname=${{UNIQUEID}}-${{STRFTIME(${{EPOCH}},,%Y-%m-%d-%H_%M)}}-${{calling}}-${{called}})
exten => ~~s~~,5,Set(datedir=${{STRFTIME(${{EPOCH}},,%Y/%m/%d)}})
exten => ~~s~~,6,System(mkdir -p ${{MP3}}/${{datedir}})
exten => ~~s~~,7,System(mkdir -p ${{WAV}}/${{datedir}})
exten => ~~s~~,8,Set(monopt=lame -b 32 --silent "${{WAV}}/${{datedir}}/${{fname}}.wav" "${{MP3}}/${{datedir}}/${{fname}}.mp3")
exten => ~~s~~,9,Set(FullFname=${{URLRECORDS}}/${{datedir}}/${{fname}}.mp3)
exten => ~~s~~,10,Set(CDR(filename)=${{fname}}.mp3)
exten => ~~s~~,11,Set(CDR(recordingfile)=${{fname}}.wav)
exten => ~~s~~,12,Set(CDR(realdst)=${{called}})
exten => ~~s~~,13,MixMonitor(${{WAV}}/${{datedir}}/${{fname}}.wav,b,${{monopt}})
exten => ~~s~~,14,NoOp(recording began)
exten => ~~s~~,15,Return()

[ext-did-custom]
exten => s,1,Set(CALLERID(num)=8${{CALLERID(num)}})
exten => s,n,Gosub(recording,~~s~~,1(${{CALLERID(number)}},${{EXTEN}}))
exten => s,n,ExecIF(${{CallMeCallerIDName}}?Set(CALLERID(name)=${{CallMeCallerIDName}}):NoOp())
exten => s,n,Set(CallStart=${{STRFTIME(epoch,,%s)}})
exten => s,n,Set(CallMeDISPOSITION=${{CDR(disposition)}})
exten => s,n,Set(CHANNEL(hangup_handler_push)=sub-call-from-cid-ended,s,1(${{CALLERID(num)}},${{EXTEN}}))

[sub-call-from-cid-ended]
exten => s,1,NoOp(${{ARG1}} ${{ARG2}})
exten => s,n,Set(CDR_PROP(disable)=true)
exten => s,n,Set(CallStop=${{STRFTIME(epoch,,%s)}})
exten => s,n,Set(CallMeDURATION=${{MATH(${{CallStop}}-${{CallStart}},int)}})
exten => s,n,ExecIF(${{ISNULL(${{CallMeDISPOSITION}})}}?Set(CallMeDISPOSITION=${{CDR(disposition)}}):NoOP(kept))
same => n(end),Set(CallMeDISPOSITION=${{CDR(disposition)}})
same => n,Return

[outbound-allroutes-custom]
exten => _.,1,Gosub(recording,~~s~~,1(${{CALLERID(number)}},${{EXTEN}}))
exten => _.,n,Set(__CallIntNum=${{CALLERID(num)}})
exten => _.,n,Set(CallExtNum=${{EXTEN}})
exten => _.,n,Set(CallStart=${{STRFTIME(epoch,,%s)}})
exten => _.,n,Set(CallmeCALLID=${{SIPCALLID}})
exten => _.,n,Set(CHANNEL(hangup_handler_push)=sub-call-internal-ended,s,1(${{CALLERID(num)}},${{EXTEN}}))

[sub-call-internal-ended]

exten => s,1,Set(CDR_PROP(disable)=true)
exten => s,n,Set(CallStop=${{STRFTIME(epoch,,%s)}})
exten => s,n,Set(CallMeDURATION=${{MATH(${{CallStop}}-${{CallStart}},int)}})
exten => s,n,GotoIf($[${{ISNULL(${{CallMeDISPOSITION}})}}]?5:6)
exten => s,n,Set(CallMeDISPOSITION=${{CDR(disposition)}})
exten => s,n,NoOp(outgoing call is over)
exten => s,n,System(curl -s ${{URLPHP}}CallMeOut.php --data action=sendcall2b24 --data ExtNum=${{CallExtNum}} --data call_id=${{SIPCALLID}} --data-urlencode FullFname='${{FullFname}}' --data CallIntNum=${{CallIntNum}} --data CallDuration=${{CallMeDURATION}} --data-urlencode CallDisposition='${{CallMeDISPOSITION}}')
exten => s,n,Return
"""


OWN_CONTEXTS = """[dial_out]
exten => _1XX,1,Gosub(recording,~~s~~,1(${CALLERID(number)},${EXTEN}))
exten => _1XX,2,Set(__CallIntNum=${CALLERID(num)})
exten => _1XX,3,Dial(SIP/${EXTEN},,tTr)
exten => _1XX,4,Hangup()
exten => h,1,Set(CDR_PROP(disable)=true)
exten => h,2,NoOp(mine)

[from-internal-custom]
exten => *99,1,Answer()
 same => n,Playback(demo-congrats)
"""
"""The first version's outgoing context, through which the calls themselves are dialled, and a context that
has nothing to do with the scripts."""
