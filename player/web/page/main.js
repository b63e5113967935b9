// Puts the page's parts together.

import { Captions } from './captions.js';
import { Controls } from './controls.js';
import { listen } from './keys.js';
import { Menu } from './menu.js';
import { Player } from './player.js';
import { SeekBar } from './seekbar.js';
import { announce } from './session.js';
import { Statement } from './statement.js';
import { Status } from './status.js';
import { translate } from './words.js';

const $ = (id) => document.getElementById(id);

translate(document);
const base = new URL('../', location.href); // the channel's place in the proxy
const player = new Player($('video'), $('freeze'), base);
const status = new Status(base);
const captions = new Captions(player, $('captions'));
const controls = new Controls(player, status, captions, new Menu(player, captions, $('menu')), new SeekBar(player, $('seek')));
new Statement(player, status);
listen(player, captions, controls);
announce(player, status);
player.load();
