"""What `setup` tells somebody who has never made a bot: where to press, what to type, where each token is found."""

WELCOME = """\
This sets up Kawan, one question at a time; it takes about ten minutes. Nobody needs to know anything about bots.
Enter takes what is proposed, a lone - empties it. `back` returns to the question before, `stop` ends here and keeps
your answers.

You need no domain, no certificate and no open port: the bot itself calls Slack and Telegram."""
GOING_ON = "You stopped half-way before. Your answers are proposed again: press Enter for each that is right."

PLATFORMS = """\
Where will people talk to the bot?
  1  Telegram
  2  Slack
  3  both"""
NAME = "What is your programme called? The bot says that it works for it."
OPERATOR = "Who runs this bot: which organisation, or who? People read it before they agree to anything."
CONTACT = "How do people reach a human there? A mail address or a number."
COUNTRY = "In which country does this computer stand, where the data will lie? Type its name, as in: Indonesia"
ZONE = "In which time zone do most people live? Type a city or a country, as in: Jakarta"
LANGUAGE = "In which language does the bot speak until somebody chooses another? One of: {offered}"
EMERGENCY = """\
Whom can somebody in danger turn to? A name and how to reach them, several with a semicolon between them, as in:
  Legal aid Jakarta: +62 21 555; Safety line: help@example.org
Enter alone names nobody but you and the facilitators. You can add them later in {file}."""

TELEGRAM_TOKEN = """\
Telegram. Make the bot, on your phone or computer:
  1. In Telegram, search for @BotFather (with the blue check mark). Open it and press Start.
  2. Type /newbot and send it.
  3. It asks for a name. Send the one that people shall see, as in: {name}
  4. It asks for a username. Send one that ends in bot, as in: {username}
  5. It answers with a token: digits, a colon, then letters. Tap it: that copies it.
You have a bot already? Send /mybots, press it, then API Token.
Paste the token here. It is not shown."""

SLACK_APP = """\
Slack. Make the app, in a browser:
  1. Open https://api.slack.com/apps?new_app=1 and sign in to your workspace.
  2. Press *From a manifest* (or *From an app manifest*), choose the workspace, press Next.
  3. Choose JSON, delete what stands in the box, paste everything between the two lines, press Next, then Create.

--------------------------------------------------------------------------------
{manifest}
--------------------------------------------------------------------------------

(`python3 -m bot manifest slack` prints it again.) Press Enter when the app is made."""
APP_TOKEN = """\
The first token of Slack lets the bot listen.
  1. On the app's page, in *Basic Information*, go down to *App-Level Tokens*.
  2. Press *Generate Token and Scopes*, type any name, as in: kawan
  3. Press *Add Scope*, choose connections:write, press *Generate*.
  4. Copy the token. It begins with xapp-
Paste it here. It is not shown."""
ADMIN = """\
On the left press *Install App*. Does Slack say that an admin must approve it (*Request to Install*)?
Type yes for a text to send to the admin, or no."""
ADMIN_TEXT = """\
Press *Request to Install*, and send your admin this:

--------------------------------------------------------------------------------
{text}
--------------------------------------------------------------------------------

When the admin has said yes, go on here. `stop` keeps your answers until then."""
BOT_TOKEN = """\
The second token of Slack lets the bot write.
  1. On the left press *Install App*, then *Install to …*, then *Allow*.
  2. Copy the *Bot User OAuth Token*. It begins with xoxb- (it also stands in *OAuth & Permissions*)
Paste it here. It is not shown."""

PROXY = """\
{trouble}
Does this computer need a web proxy? Type its address, as in: http://proxy.example:3128
Enter alone tries again, `none` without a proxy; `skip` goes on without having tried the token."""
NOT_TRIED = "The token was not tried."
KEPT_UNTRIED = "The token is kept, and was not tried. Once this computer is online, `python3 -m bot doctor` tries it."

DONE = """\
{file} is written; only this user can read it (mode 600). It holds your tokens: keep it to yourself.
The database is ready."""
INVITATION = """\
You are the first facilitator. This invitation is for you alone, works once, and until {until}. It is shown only now."""
TELEGRAM_WAY = "On Telegram, open this link, or point your phone's camera at the square:\n\n    {link}\n"
TELEGRAM_LINE = "On Telegram, open the chat with your bot, and send it this line:\n\n    /start {code}\n"
ANY_LINE = "    /start {code}\n\nWhoever is invited opens a chat with the bot, and sends it this line."
SLACK_WAY = """\
On Slack, find the app Kawan under *Apps* (not there? Search for Kawan at the top), press *Messages*, and send it this:

    start {code}
"""
HAS_FACILITATOR = "There is a facilitator already, who invites everybody else: in the chat, by typing manage."
NEXT = """\
It needs no domain, no certificate and no open port. Start the bot with the next command, then use your invitation:

    python3 -m bot run{config}

It runs as long as that window is open; Ctrl+C stops it. What people write meanwhile waits for it. To keep it running
always, look into the folder deploy. Something does not work? `python3 -m bot doctor{config}` says what to press.
"""
KEPT = "Nothing is set up yet. Your answers are kept in {file}: the same command goes on with them."
STILL_KEPT = "Nothing was changed. Your answers from before are still kept in {file}."
LEFT = "Nothing was changed."
