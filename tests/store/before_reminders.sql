BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE anomalies (
	id INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	pbx TEXT NOT NULL, 
	call TEXT, 
	text JSON NOT NULL, 
	CONSTRAINT pk_anomalies PRIMARY KEY (id)
);
INSERT INTO "anomalies" VALUES(1,1795453424.8,'office','office-1795453424.33','{"en":"odd","ru":"странно"}');
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	portal TEXT NOT NULL, 
	call TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	ordinal INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	took_ms INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	why JSON, exchanges JSON, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_attempts_lanes FOREIGN KEY(portal, call) REFERENCES lanes (portal, call)
);
INSERT INTO "attempts" VALUES(1,'main','office-1795453449.47','register',0,1,1795453450.0,30000,'ambiguous','{"en":"No answer within 30 s.","ru":"Нет ответа за 30 с."}','[["register …","(no answer)"]]');
INSERT INTO "attempts" VALUES(2,'main','office-1795453449.47','register',0,2,1795453451.0,40,'delivered',NULL,'[["register …","200 …"]]');
CREATE TABLE calls (
	id TEXT NOT NULL, 
	pbx TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	number TEXT NOT NULL, 
	tail TEXT NOT NULL, 
	line TEXT NOT NULL, 
	owner TEXT, 
	disposition TEXT NOT NULL, 
	started_at DOUBLE NOT NULL, 
	answered_at DOUBLE, 
	ended_at DOUBLE, 
	talk_s DOUBLE NOT NULL, 
	lost BOOLEAN NOT NULL, 
	open BOOLEAN NOT NULL, 
	"view" JSON NOT NULL, 
	CONSTRAINT pk_calls PRIMARY KEY (id)
);
INSERT INTO "calls" VALUES('office-1795453449.47','office','in','+79000000112','21100000097','74950000003',NULL,'no-answer',1795453449.881,NULL,1795453461.905,0.0,0,0,'{"id":"office-1795453449.47","pbx":"office","direction":"in","external":"79000000112","number":"+79000000112","name":"","line":"74950000003","trunk":"trunk-prov","caller":null,"started_at":1795453449.881,"ring_at":1795453449.887,"ring_until":1795453461.901,"rang":[{"extension":"101","since":1795453449.887,"until":1795453461.9,"device":"PJSIP/101-0000001e","via":"","answered":false},{"extension":"102","since":1795453449.888,"until":1795453461.901,"device":"PJSIP/102-0000001f","via":"","answered":false},{"extension":"103","since":1795453449.888,"until":1795453461.901,"device":"PJSIP/103-00000020","via":"","answered":false}],"answered_by":null,"via":null,"talks":[],"holds":[],"transfers":[],"path":[{"kind":"group","name":"600","at":1795453449.884}],"last_talker":null,"owner":null,"disposition":"no-answer","hung_up_by":"pbx","answered_at":null,"ended_at":1795453461.905,"lost":false,"certain":true,"recordings":[{"path":"/var/spool/asterisk/monitor/2026/11/23/rg-600-79000000112-20261123-170409-1795453449.47.wav","channel":"PJSIP/trunk-prov-0000001d","uniqueid":"1795453449.47","since":1795453449.884}],"command":null,"linked":[],"aliases":[]}');
INSERT INTO "calls" VALUES('office-1795453912.3','office','out','+79000000201','10200000097','74950000001','101','answered',1795453912.759,1795453915.776,1.79545392279100012779e+09,7.01500010490417480468e+00,0,0,'{"id":"office-1795453912.3","pbx":"office","direction":"out","external":"79000000201","number":"+79000000201","name":"","line":"74950000001","trunk":"trunk-prov","caller":"101","started_at":1795453912.759,"ring_at":1795453912.763,"ring_until":1795453915.776,"rang":[],"answered_by":"79000000201","via":null,"talks":[{"who":"101","extension":"101","since":1795453915.776,"until":1795453922.789,"present":false}],"holds":[],"transfers":[],"path":[],"last_talker":"101","owner":"101","disposition":"answered","hung_up_by":"agent","answered_at":1795453915.776,"ended_at":1795453922.7910001,"lost":false,"certain":true,"recordings":[{"path":"/var/spool/asterisk/monitor/2026/11/23/out-79000000201-101-20261123-171152-1795453912.3.wav","channel":"PJSIP/101-00000002","uniqueid":"1795453912.3","since":1795453912.76}],"command":null,"linked":[],"aliases":[]}');
INSERT INTO "calls" VALUES('office-1795453424.33','office','in','+79000000110','01100000097','74950000003','102','answered',1.79545342478599977489e+09,1795453428.81,NULL,0.0,0,1,'{"id":"office-1795453424.33","pbx":"office","direction":"in","external":"79000000110","number":"+79000000110","name":"","line":"74950000003","trunk":"trunk-prov","caller":null,"started_at":1795453424.7859998,"ring_at":1795453424.791,"ring_until":1795453428.81,"rang":[{"extension":"101","since":1795453424.791,"until":1795453428.81,"device":"PJSIP/101-00000016","via":"","answered":false},{"extension":"102","since":1795453424.7919998,"until":1795453428.81,"device":"PJSIP/102-00000017","via":"","answered":true},{"extension":"103","since":1795453424.7919998,"until":1795453428.81,"device":"PJSIP/103-00000018","via":"","answered":false}],"answered_by":"102","via":null,"talks":[{"who":"102","extension":"102","since":1795453428.81,"until":null,"present":true}],"holds":[],"transfers":[],"path":[{"kind":"group","name":"600","at":1795453424.7879999}],"last_talker":"102","owner":"102","disposition":"answered","hung_up_by":null,"answered_at":1795453428.81,"ended_at":null,"lost":false,"certain":true,"recordings":[{"path":"/var/spool/asterisk/monitor/2026/11/23/rg-600-79000000110-20261123-170344-1795453424.33.wav","channel":"PJSIP/trunk-prov-00000015","uniqueid":"1795453424.33","since":1795453424.7889998}],"command":null,"linked":[],"aliases":[]}');
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	portal TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	pbx TEXT NOT NULL, 
	call TEXT NOT NULL, 
	payload JSON NOT NULL, 
	state TEXT NOT NULL, 
	why JSON, 
	closed BOOLEAN NOT NULL, 
	created_at DOUBLE NOT NULL, 
	deadline DOUBLE NOT NULL, 
	sent_at DOUBLE, 
	CONSTRAINT pk_commands PRIMARY KEY (id), 
	CONSTRAINT uq_commands_portal_ref UNIQUE (portal, ref), 
	CONSTRAINT uq_commands_call UNIQUE (call), 
	CONSTRAINT ck_commands_state CHECK (state IN ('waiting', 'sent', 'dialled', 'refused', 'expired'))
);
INSERT INTO "commands" VALUES(1,'main','externalCall.1','office','office-1795453500.0','{"ref":"externalCall.1","who":"7","extension":"101","number":"+79000000199","at":1795453500.0,"line":""}','waiting',NULL,0,1795453500.0,1795453515.0,NULL);
CREATE TABLE deliveries (
	id INTEGER NOT NULL, 
	portal TEXT NOT NULL, 
	call TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	ordinal INTEGER NOT NULL, 
	payload JSON NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at DOUBLE NOT NULL, 
	doubt BOOLEAN NOT NULL, 
	first_at DOUBLE, 
	why JSON, 
	created_at DOUBLE NOT NULL, 
	settled_at DOUBLE, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id), 
	CONSTRAINT uq_deliveries_portal_call_kind_ordinal UNIQUE (portal, call, kind, ordinal), 
	CONSTRAINT fk_deliveries_lanes FOREIGN KEY(portal, call) REFERENCES lanes (portal, call), 
	CONSTRAINT ck_deliveries_state CHECK (state IN ('waiting', 'sending', 'done', 'refused')), 
	CONSTRAINT ck_deliveries_kind CHECK (kind IN ('register', 'finish', 'attach'))
);
INSERT INTO "deliveries" VALUES(1,'main','office-1795453449.47','register',0,'{"about":{"call":"office-1795453449.47","direction":"in","number":"+79000000112","name":"","line":"74950000003","started_at":1795453449.881},"owner":"101","ordinal":0,"given":""}','done',2,0.0,0,1795453450.0,NULL,1795453449.887,1795453451.0);
INSERT INTO "deliveries" VALUES(2,'main','office-1795453449.47','finish',0,'{"about":{"call":"office-1795453449.47","direction":"in","number":"+79000000112","name":"","line":"74950000003","started_at":1795453449.881},"owner":"101","result":"no-answer","talk_s":0,"ended_at":1795453461.905,"lost":false,"ordinal":0,"rung":["101","102","103"]}','refused',1,0.0,0,1795453462.0,'{"en":"no such user","ru":"нет такого пользователя"}',1795453461.905,1795453462.1);
INSERT INTO "deliveries" VALUES(3,'main','office-1795453912.3','register',0,'{"about":{"call":"office-1795453912.3","direction":"out","number":"+79000000201","name":"","line":"74950000001","started_at":1795453912.759},"owner":"101","ordinal":0,"given":""}','waiting',0,0.0,0,NULL,NULL,1795453912.763,NULL);
INSERT INTO "deliveries" VALUES(4,'main','office-1795453912.3','finish',0,'{"about":{"call":"office-1795453912.3","direction":"out","number":"+79000000201","name":"","line":"74950000001","started_at":1795453912.759},"owner":"101","result":"answered","talk_s":7,"ended_at":1795453922.7910001,"lost":false,"ordinal":0,"rung":[]}','waiting',0,0.0,0,NULL,NULL,1.79545392279100012779e+09,NULL);
INSERT INTO "deliveries" VALUES(5,'main','office-1795453912.3','attach',0,'{"about":{"call":"office-1795453912.3","direction":"out","number":"+79000000201","name":"","line":"74950000001","started_at":1795453912.759},"pbx":"office","path":"/var/spool/asterisk/monitor/2026/11/23/out-79000000201-101-20261123-171152-1795453912.3.wav","ended_at":1795453922.7910001,"ordinal":0}','waiting',0,0.0,0,NULL,NULL,1.79545392279100012779e+09,NULL);
INSERT INTO "deliveries" VALUES(6,'main','office-1795453424.33','register',0,'{"about":{"call":"office-1795453424.33","direction":"in","number":"+79000000110","name":"","line":"74950000003","started_at":1795453424.7859998},"owner":"101","ordinal":0,"given":""}','sending',1,0.0,0,1795453424.9,NULL,1795453424.791,NULL);
CREATE TABLE lanes (
	portal TEXT NOT NULL, 
	call TEXT NOT NULL, 
	memory JSON NOT NULL, 
	wanted JSON NOT NULL, 
	told JSON, 
	shown JSON NOT NULL, 
	doubted JSON NOT NULL, 
	card_tries INTEGER NOT NULL, 
	card_next_at DOUBLE NOT NULL, 
	held JSON, 
	closed BOOLEAN NOT NULL, 
	next_at DOUBLE, 
	created_at DOUBLE NOT NULL, 
	CONSTRAINT pk_lanes PRIMARY KEY (portal, call)
);
INSERT INTO "lanes" VALUES('main','office-1795453449.47','{"call_id":"externalCall.9"}','{}','{"registered":true,"seers":[],"finished":true,"attached":[]}','[]','[]',0,0.0,'{"en":"no such user","ru":"нет такого пользователя"}',0,NULL,1795453449.887);
INSERT INTO "lanes" VALUES('main','office-1795453912.3','{}','{}','{"registered":true,"seers":[],"finished":true,"attached":["/var/spool/asterisk/monitor/2026/11/23/out-79000000201-101-20261123-171152-1795453912.3.wav"]}','[]','[]',0,0.0,NULL,0,1795453912.763,1795453912.763);
INSERT INTO "lanes" VALUES('main','office-1795453424.33','{}','{"102":1795453424.7919998}','{"registered":true,"seers":["102"],"finished":false,"attached":[]}','[]','[]',0,0.0,NULL,0,1795453424.791,1795453424.791);
CREATE TABLE open_calls (
	pbx TEXT NOT NULL, 
	call TEXT NOT NULL, 
	state JSON NOT NULL, 
	CONSTRAINT pk_open_calls PRIMARY KEY (pbx, call)
);
INSERT INTO "open_calls" VALUES('office','office-1795453424.33','{"version":1,"linked":[],"linkedids":["1795453424.33"],"channels":[{"uniqueid":"1795453424.33","name":"PJSIP/trunk-prov-00000015","linkedid":"1795453424.33","first_linkedid":"1795453424.33","born_at":1795453424.7859998,"seen_at":1795453428.81,"born":true,"first_state":"Ring","first_number":"79000000110","first_name":"","first_context":"from-pstn","first_exten":"74950000003","number":"79000000110","connected":"102","ringing_at":null,"up_at":1795453428.81,"up_context":"ext-group","variables":{"FROM_DID":"74950000003","MIXMONITOR_FILENAME":"/var/spool/asterisk/monitor/2026/11/23/rg-600-79000000110-20261123-170344-1795453424.33.wav"},"applications":[["Set",1795453424.7879999],["Gosub",1795453424.7889998],["Dial",1795453424.79]],"partner":"","asked_at":null,"gone_at":null,"cause":null,"vanished":false,"dials":[],"stays":[{"bridge":"586260e7-1b84-4c9a-b4b7-7856301c58ee","holding":false,"since":1795453428.81,"until":null}],"places":[{"context":"from-pstn","exten":"74950000003","at":1795453424.7859998},{"context":"sub-did","exten":"s","at":1795453424.7859998},{"context":"ext-group","exten":"600","at":1795453424.7879999},{"context":"sub-record-check","exten":"s","at":1795453424.7889998},{"context":"ext-group","exten":"600","at":1795453424.7889998}],"holds":[],"recordings":[{"path":"/var/spool/asterisk/monitor/2026/11/23/rg-600-79000000110-20261123-170344-1795453424.33.wav","at":1795453424.7889998}],"handovers":[],"queues":[]},{"uniqueid":"1795453424.34","name":"PJSIP/101-00000016","linkedid":"1795453424.33","first_linkedid":"1795453424.33","born_at":1795453424.79,"seen_at":1795453428.81,"born":true,"first_state":"Down","first_number":"101","first_name":"Agent 101","first_context":"from-internal","first_exten":"s","number":"101","connected":"79000000110","ringing_at":1795453424.7979999,"up_at":null,"up_context":"","variables":{"FROM_DID":"74950000003"},"applications":[["AppDial",1795453424.79]],"partner":"","asked_at":null,"gone_at":1795453428.81,"cause":26,"vanished":false,"dials":[{"caller":"1795453424.33","since":1795453424.791,"dial_string":"101/sip:101@127.11.0.101:5060","until":1795453428.81,"status":"CANCEL","shown":"79000000110","exten":"600","context":"ext-group","forward":""}],"stays":[],"places":[{"context":"from-internal","exten":"s","at":1795453424.79},{"context":"from-internal","exten":"600","at":1795453424.79}],"holds":[],"recordings":[],"handovers":[],"queues":[]},{"uniqueid":"1795453424.35","name":"PJSIP/102-00000017","linkedid":"1795453424.33","first_linkedid":"1795453424.33","born_at":1795453424.791,"seen_at":1795453428.81,"born":true,"first_state":"Down","first_number":"102","first_name":"Agent 102","first_context":"from-internal","first_exten":"s","number":"102","connected":"79000000110","ringing_at":1795453424.803,"up_at":1795453428.806,"up_context":"from-internal","variables":{"FROM_DID":"74950000003"},"applications":[["AppDial",1795453424.791]],"partner":"","asked_at":null,"gone_at":null,"cause":null,"vanished":false,"dials":[{"caller":"1795453424.33","since":1795453424.7919998,"dial_string":"102/sip:102@127.11.0.102:5060","until":1795453428.81,"status":"ANSWER","shown":"79000000110","exten":"600","context":"ext-group","forward":""}],"stays":[{"bridge":"586260e7-1b84-4c9a-b4b7-7856301c58ee","holding":false,"since":1795453428.81,"until":null}],"places":[{"context":"from-internal","exten":"s","at":1795453424.791},{"context":"from-internal","exten":"600","at":1795453424.791},{"context":"from-internal","exten":"","at":1795453428.81}],"holds":[],"recordings":[],"handovers":[],"queues":[]},{"uniqueid":"1795453424.36","name":"PJSIP/103-00000018","linkedid":"1795453424.33","first_linkedid":"1795453424.33","born_at":1795453424.791,"seen_at":1795453428.81,"born":true,"first_state":"Down","first_number":"103","first_name":"Agent 103","first_context":"from-internal","first_exten":"s","number":"103","connected":"79000000110","ringing_at":1795453424.7979999,"up_at":null,"up_context":"","variables":{"FROM_DID":"74950000003"},"applications":[["AppDial",1795453424.791]],"partner":"","asked_at":null,"gone_at":1795453428.81,"cause":26,"vanished":false,"dials":[{"caller":"1795453424.33","since":1795453424.7919998,"dial_string":"103/sip:103@127.11.0.103:5060","until":1795453428.81,"status":"CANCEL","shown":"79000000110","exten":"600","context":"ext-group","forward":""}],"stays":[],"places":[{"context":"from-internal","exten":"s","at":1795453424.791},{"context":"from-internal","exten":"600","at":1795453424.791}],"holds":[],"recordings":[],"handovers":[],"queues":[]}]}');
CREATE TABLE portals (
	id TEXT NOT NULL, 
	paused JSON, 
	paused_at DOUBLE, 
	CONSTRAINT pk_portals PRIMARY KEY (id)
);
INSERT INTO "portals" VALUES('main','{"en":"the webhook is gone","ru":"вебхука больше нет"}',1795453460.0);
CREATE INDEX ix_calls_started ON calls (started_at, id);
CREATE INDEX ix_calls_pbx ON calls (pbx, started_at, id);
CREATE INDEX ix_calls_owner ON calls (owner, started_at, id);
CREATE INDEX ix_calls_line ON calls (line, started_at, id);
CREATE INDEX ix_calls_disposition ON calls (disposition, started_at, id);
CREATE INDEX ix_calls_direction ON calls (direction, started_at, id);
CREATE INDEX ix_calls_tail ON calls (tail, started_at);
CREATE INDEX ix_calls_open ON calls (started_at, id) WHERE open;
CREATE INDEX ix_lanes_due ON lanes (portal, next_at);
CREATE INDEX ix_lanes_call ON lanes (call);
CREATE INDEX ix_lanes_unclosed ON lanes (portal) WHERE NOT closed;
CREATE UNIQUE INDEX uq_deliveries_one_in_progress ON deliveries (portal, call) WHERE state = 'sending';
CREATE INDEX ix_deliveries_unsettled ON deliveries (portal, state, id) WHERE state IN ('waiting', 'sending', 'refused');
CREATE INDEX ix_attempts_call ON attempts (call, portal);
CREATE INDEX ix_anomalies_at ON anomalies (at);
CREATE INDEX ix_anomalies_call ON anomalies (call);
CREATE INDEX ix_commands_unclosed ON commands (pbx, id) WHERE NOT closed;
COMMIT;
