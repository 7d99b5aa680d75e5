-- The rows of a portal at migration 00003, as the program of that time wrote
-- them on SQLite: setup, sign-ups, sign-ins, changes of accounts by their users
-- and by an admin, an API session, personal access tokens and an invitation.
-- Every password is that of package servicetest. TestUpgrade reads this file.

INSERT INTO users (id, username, email, email_folded, full_name, password_hash, password_changed_at, role, disabled_at, disabled_reason, last_sign_in_at, replayed_at, created_at, updated_at) VALUES
('gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', 'Ada@Example.com', 'ada@example.com', 'Ada Lovelace', '$argon2id$v=19$m=19456,t=2,p=1$ZkioBm0So4J1oeWzgT1PIw$yghS2+sOJFQQopJIBKmvbQSA2KwF/1+rP9jZPeNLmzk', 1796028670558396, 'admin', 0, '', 1796028670559218, 0, 1796028670558396, 1796028670558396),
('c26n4hp73rvhf32jquqcij574k', 'zoe', 'Zoë@Example.org', 'zoë@example.org', 'Zoë Müller-Straße', '$argon2id$v=19$m=19456,t=2,p=1$haqjHd+cwI+i3JW27VPpdg$pUlnPe/Mqz+bxtlNFVB4q3yh7OeTGuP2aMgCUEPJ0oE', 1796028672483170, 'user', 0, '', 1796028684338328, 0, 1796028672483170, 1796028679562140),
('6klkymr7qij3e7xm5hgwukemij', 'jose', 'josé@example.org', 'josé@example.org', 'José Ñandú', '$argon2id$v=19$m=19456,t=2,p=1$o5S6kVzwU0qvUoyHa8ViGA$B0buMzno8uDvo7cZ3UHL4xV58zCSF13VCftAZO8k9sg', 1796028672573385, 'admin', 0, '', 1796028672573655, 0, 1796028672573385, 1796028685550201),
('jsr36mw3zh4xuu6hicjt3arut4', 'okonkwo', 'Nnamdi@Okonkwo.Example', 'nnamdi@okonkwo.example', 'Nnamdi Okonkwọ', '$argon2id$v=19$m=19456,t=2,p=1$xuuv5wdnTw1zvp1vU8Msng$hYBimhQ4bgviP2NWoJCciifyrbfDUP4fjUppX2Xv6KA', 1796028674803861, 'user', 0, '', 1796028674804047, 0, 1796028674803861, 1796028680778822),
('ffdiznuz7ttmczp2usfq345njg', 'karl', 'KARL@EXAMPLE.ORG', 'karl@example.org', 'Karl Æsir-Øst', '$argon2id$v=19$m=19456,t=2,p=1$9noIHowAH8H3fnJ63fN53Q$tgC5OaBxFnxc0ckrNJqFzUjGdtMMtyjjlmGtAFNWpdY', 1796028678435579, 'user', 1796028685180648, 'Left the company – Grüße', 1796028678435763, 0, 1796028678435579, 1796028685180648),
('hbbylbewozclgfvitlc73go2ab', 'luis.perez', 'luis@example.org', 'luis@example.org', 'Luis Pérez', '$argon2id$v=19$m=19456,t=2,p=1$NkQ9Q3ZaYK9kUwtqZ2D3eA$ts9o61Si2F7FfIQdIvNFwXKG42oyEDcLS01CvOxZQM8', 1796028679432319, 'user', 0, '', 1796028679432502, 0, 1796028679432319, 1796028680786999),
('lbk7v2h6bglpu4q665g3mb5ngl', 'ivy', 'ivy@example.org', 'ivy@example.org', 'Ivy Ŝanĝo', '', 0, 'user', 0, '', 0, 0, 1796028685554684, 1796028685554684);

INSERT INTO sessions (id, user_id, remember, method, generation, confirmed_generation, rotated_at, rotation_minute, rotations, idle_ttl, created_at, last_seen_at, expires_at, ended_at, end_reason, ip, user_agent, kind, scope, client_id, new_device) VALUES
('u5as2yfsodrppufvavbq2p2oaj', 'gyz7x7cx6s6idwyh6ew76lrxtb', TRUE, 'setup', 1, 1, 1796028670595660, 0, 0, 604800000000, 1796028670595660, 1796028685096546, 1798620670595660, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('eavfjpjwfaoiw6iezb2qgbtrse', 'c26n4hp73rvhf32jquqcij574k', TRUE, 'sign-up', 1, 1, 1796028672483887, 0, 0, 604800000000, 1796028672483887, 1796028679549886, 1798620672483887, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('gzyqxpclvslll23teoqwtt353z', '6klkymr7qij3e7xm5hgwukemij', TRUE, 'sign-up', 1, 0, 1796028672574643, 0, 0, 604800000000, 1796028672574643, 1796028672574643, 1798620672574643, 1796028684968151, 'logout', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'web', '', '', FALSE),
('6uhbxhfaik4kvrboostvthan5i', 'jsr36mw3zh4xuu6hicjt3arut4', TRUE, 'sign-up', 1, 1, 1796028674804519, 0, 0, 604800000000, 1796028674804519, 1796028679602803, 1798620674804519, 1796028680780044, 'replaced', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('c7fxskcejg6ioxsfvfeics6knh', 'ffdiznuz7ttmczp2usfq345njg', TRUE, 'sign-up', 1, 0, 1796028678436520, 0, 0, 604800000000, 1796028678436520, 1796028678436520, 1798620678436520, 1796028685180648, 'disabled', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('pu22penb2za756yox46hzqa6x7', 'hbbylbewozclgfvitlc73go2ab', TRUE, 'sign-up', 1, 1, 1796028679433068, 0, 0, 604800000000, 1796028679433068, 1796028680784289, 1798620679433068, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('rzstbtu4xg5wl6kf7m7ygdzhat', 'jsr36mw3zh4xuu6hicjt3arut4', TRUE, 'sign-up', 1, 0, 1796028680780811, 0, 0, 604800000000, 1796028680780811, 1796028680780811, 1798620680780811, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('ekgkzmmpvmbkuhptinrq2u7vjg', 'c26n4hp73rvhf32jquqcij574k', TRUE, 'password', 1, 1, 1796028681518421, 0, 0, 604800000000, 1796028681518421, 1796028682863573, 1798620681518421, 0, '', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'web', '', '', TRUE),
('74ddq2rjisg46q7kplxdszpcoc', 'c26n4hp73rvhf32jquqcij574k', TRUE, 'password', 1, 0, 1796028682849335, 0, 0, 604800000000, 1796028682849335, 1796028682849335, 1798620682849335, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'web', '', '', FALSE),
('uwp7kjmu77lsosysxpqlktyxzi', 'c26n4hp73rvhf32jquqcij574k', TRUE, 'password', 1, 0, 1796028684338936, 0, 0, 604800000000, 1796028684338936, 1796028684338936, 1798620684338936, 0, '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'api', 'me', 'reports', FALSE);

INSERT INTO denylist (token_id, user_id, reason, expires_at) VALUES
('cyngki3gorec7jevwwiwlqoxmq', 'jsr36mw3zh4xuu6hicjt3arut4', 'replaced', 1796028984000000),
('6uhbxhfaik4kvrboostvthan5i', 'jsr36mw3zh4xuu6hicjt3arut4', 'replaced', 1798620684804519),
('e0-N6Uq_NspqwGJARl32qw', 'jsr36mw3zh4xuu6hicjt3arut4', 'replaced', 1796633484000000),
('glrbzcati7mdmxwjokcnfl6m5x', '6klkymr7qij3e7xm5hgwukemij', 'logout', 1796028982000000),
('gzyqxpclvslll23teoqwtt353z', '6klkymr7qij3e7xm5hgwukemij', 'logout', 1798620682574643),
('NlBqgr8PE59Co8nbr0mIuQ', '6klkymr7qij3e7xm5hgwukemij', 'logout', 1796633482000000),
('c7fxskcejg6ioxsfvfeics6knh', 'ffdiznuz7ttmczp2usfq345njg', 'disabled', 1798620688436520);

INSERT INTO login_attempts (bucket, count, streak, started_at, blocked_until, updated_at) VALUES
('attempts:127.0.0.1', 8, 8, 1796028668388150, 0, 1796028684423017),
('signup:127.0.0.1', 5, 5, 1796028670720426, 0, 1796028678495214),
('failures:127.0.0.1', 1, 1, 1796028679609175, 0, 1796028684423594),
('address:jsr36mw3zh4xuu6hicjt3arut4', 1, 1, 1796028680701398, 0, 1796028680701398),
('rename:hbbylbewozclgfvitlc73go2ab', 1, 1, 1796028680785664, 0, 1796028680785664),
('token:127.0.0.1', 1, 1, 1796028683738490, 0, 1796028683738490),
('account:c26n4hp73rvhf32jquqcij574k', 1, 1, 1796028684423594, 0, 1796028684423594),
('admin:gyz7x7cx6s6idwyh6ew76lrxtb', 3, 3, 1796028685157220, 0, 1796028685554687);

INSERT INTO known_devices (device_hash, user_id, created_at, last_used_at) VALUES
('8ab09873063a49db477190e4c9d3d179752920b022beb474dd29b95182ab69e6', 'gyz7x7cx6s6idwyh6ew76lrxtb', 1796028670595461, 1796028670595461),
('2ca1ede882cc73230cbfbf2998ebcbf8bbf939ccb1ce7f73725c3755d7bfd5d8', 'c26n4hp73rvhf32jquqcij574k', 1796028672483849, 1796028682849206),
('7ec8f458c1bf47d02753902a0beb552c28bc1a6933fed808a48e0cc317d3fd0f', '6klkymr7qij3e7xm5hgwukemij', 1796028672574516, 1796028672574516),
('238894e32dade1e268603fb50a9ed6d3e18ca2a53281a3bd1ad99a335133b770', 'jsr36mw3zh4xuu6hicjt3arut4', 1796028674804483, 1796028680780514),
('62f1e0fc4d3c54b03c856700420d3696080e5099e13264f6f5f225c2b0f17f5d', 'ffdiznuz7ttmczp2usfq345njg', 1796028678436473, 1796028678436473),
('e6c78206e3e01995f5292e7a1ee57226b47b96dee096970d44649dc3825ad062', 'hbbylbewozclgfvitlc73go2ab', 1796028679433012, 1796028679433012),
('bbf9f36e16c1de0ae2cd4a2ad264207d316d780be14cb30a476dcd38e708c3d1', 'c26n4hp73rvhf32jquqcij574k', 1796028681518374, 1796028681518374);

INSERT INTO one_time_tokens (token_hash, purpose, user_id, created_at, expires_at, used_at, replaced_at) VALUES
('952ab61e6e5e3dadbdd1633cbfa54eb8b01bfe6dc04ffdf946e50ddd2aad6f23', 'setup', NULL, 1796028668118799, 1796032268118799, 1796028670559036, 0),
('76b2ac1e7ce49d355a1525d154511bf2aa41fd1333202a81683700cc7efb0b31', 'set-password', 'lbk7v2h6bglpu4q665g3mb5ngl', 1796028685559782, 1796115085559782, 0, 0);

INSERT INTO personal_access_tokens (id, user_id, name, token_hash, hint, scope, created_at, expires_at, last_used_at, last_used_ip, ended_at, end_reason) VALUES
('k726pcz3z2cdughae4g2thh2kd', 'c26n4hp73rvhf32jquqcij574k', 'Sicherung täglich', 'd60aea4f64e53db02c89f0af7a1615477ccac9f020f0a5e08cafd8ba58f8eab1', 'qkun', 'me', 1796028683482166, 1798620683482166, 0, '', 0, ''),
('4azpnc4t6u7j3lkeg227ahz6lj', 'c26n4hp73rvhf32jquqcij574k', 'old laptop', '5e01d00502d15bf6865b46a9d67df9dc1d66e710a373af90a48bb46cad68adb7', 'w3yr', 'me', 1796028683713596, 1798620683713596, 0, '', 1796028683734533, 'ended-elsewhere');

INSERT INTO audit_events (id, at, action, actor_id, actor_name, subject_id, subject_name, detail, ip, user_agent, session_id, request_id) VALUES
('x76d7iwchjrhznpfwvqyoeaaub', 1796028670610232, 'setup', 'gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', 'gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'u5as2yfsodrppufvavbq2p2oaj', 'VP5D-JHFN'),
('wtlbbjwyfgrvyukz54jwc2tins', 1796028672484327, 'sign-up', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'eavfjpjwfaoiw6iezb2qgbtrse', 'BE5S-6F8S'),
('sb5z4ic7pdohuatbzggcsmjf4w', 1796028672575494, 'sign-up', '6klkymr7qij3e7xm5hgwukemij', 'jose', '6klkymr7qij3e7xm5hgwukemij', 'jose', '', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'gzyqxpclvslll23teoqwtt353z', 'GN7T-31JW'),
('sr7mlau3wr225jevj3ocnxh32q', 1796028674804925, 'sign-up', 'jsr36mw3zh4xuu6hicjt3arut4', 'okonkwo', 'jsr36mw3zh4xuu6hicjt3arut4', 'okonkwo', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', '6uhbxhfaik4kvrboostvthan5i', 'Z0Y5-D26X'),
('hahxhoafjzaspbhmzayivmwdsw', 1796028678436924, 'sign-up', 'ffdiznuz7ttmczp2usfq345njg', 'karl', 'ffdiznuz7ttmczp2usfq345njg', 'karl', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'c7fxskcejg6ioxsfvfeics6knh', '5GPX-2T6P'),
('lpqtwpkxdkkroezam5mw5ac6kg', 1796028679470443, 'sign-up', 'hbbylbewozclgfvitlc73go2ab', 'luis', 'hbbylbewozclgfvitlc73go2ab', 'luis', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'pu22penb2za756yox46hzqa6x7', 'YAKG-2TC6'),
('lmpoabo4kd53zx6nqobvlny5mo', 1796028679562140, 'profile-change', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'name Zoë Müller → Zoë Müller-Straße', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'eavfjpjwfaoiw6iezb2qgbtrse', '3AK4-ESXG'),
('umhdqk6xgxla75df2he4rix7pm', 1796028680781019, 'email-change', 'jsr36mw3zh4xuu6hicjt3arut4', 'okonkwo', 'jsr36mw3zh4xuu6hicjt3arut4', 'okonkwo', 'Nnamdi.Okonkwo@Example.COM → Nnamdi@Okonkwo.Example, 1 session ended', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', '6uhbxhfaik4kvrboostvthan5i', 'D98C-CPB8'),
('zoc26lgulq4oszqyhzjgzaqxvl', 1796028680786998, 'profile-change', 'hbbylbewozclgfvitlc73go2ab', 'luis', 'hbbylbewozclgfvitlc73go2ab', 'luis', 'username luis → luis.perez, name (none) → Luis Pérez', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'pu22penb2za756yox46hzqa6x7', '5ZMR-1B64'),
('gry2jensxeeq2cu5vnroadx3y5', 1796028681519064, 'login', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', '', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'ekgkzmmpvmbkuhptinrq2u7vjg', '820P-S1HB'),
('eavtijsm66hj5trkymmthxa4x3', 1796028682850375, 'login', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', '74ddq2rjisg46q7kplxdszpcoc', 'PMHC-2T6X'),
('sctj5gikxlpepofgsaijxfkk5p', 1796028683485370, 'personal-token-create', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'Sicherung täglich, scope me, 30 days', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'ekgkzmmpvmbkuhptinrq2u7vjg', 'HCMM-4NBW'),
('572e7koaxcfhvmgl6naiczs3cs', 1796028683727414, 'personal-token-create', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'old laptop, scope me, 30 days', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'ekgkzmmpvmbkuhptinrq2u7vjg', '72Y7-Q178'),
('sv3enym5gtdhh3d47izttmegi4', 1796028683734968, 'personal-token-end', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'old laptop', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'ekgkzmmpvmbkuhptinrq2u7vjg', '7K5X-NR51'),
('wxy2ky3i5eokpjyiogn2vjrbfc', 1796028684338948, 'api-login', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'c26n4hp73rvhf32jquqcij574k', 'zoe', 'scope me, client reports', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'uwp7kjmu77lsosysxpqlktyxzi', '670D-J6QZ'),
('sgadfe7sixoxuuk4ortudhp5z7', 1796028684883508, 'login-failed', '', '', 'c26n4hp73rvhf32jquqcij574k', 'zoe', '', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', '', 'JXH9-5MA3'),
('ioa2uu4asoo4yyxyso5ixwgi6o', 1796028685027476, 'logout', '6klkymr7qij3e7xm5hgwukemij', 'jose', '6klkymr7qij3e7xm5hgwukemij', 'jose', '', '127.0.0.1', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1', 'gzyqxpclvslll23teoqwtt353z', '626Z-BMFN'),
('qui2fk7k6io6nb5dkmyqrj557z', 1796028685181248, 'user-disable', 'gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', 'ffdiznuz7ttmczp2usfq345njg', 'karl', '1 session ended. Reason: Left the company – Grüße', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'u5as2yfsodrppufvavbq2p2oaj', 'HHT8-9A56'),
('y6tpgbbmaflvxuykodpxw3efxz', 1796028685550129, 'user-role', 'gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', '6klkymr7qij3e7xm5hgwukemij', 'jose', 'user → admin', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'u5as2yfsodrppufvavbq2p2oaj', '1DY3-PKE3'),
('ijeklrbma2aawqgjcovi3bdoog', 1796028685559782, 'user-create', 'gyz7x7cx6s6idwyh6ew76lrxtb', 'ada', 'lbk7v2h6bglpu4q665g3mb5ngl', 'ivy', 'role user', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'u5as2yfsodrppufvavbq2p2oaj', 'BQZE-7Q5R');
